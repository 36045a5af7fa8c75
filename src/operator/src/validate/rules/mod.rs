//! Rule groups: every reason why Prometheus would refuse one, with group, rule and position
//! (prometheus/prometheus, model/rulefmt). Pure; knows nothing of PrometheusRule objects.
//!
//! Stricter than Prometheus 3 in one thing: names of series and labels keep to the alphabet that
//! every version reads, since one rule may be loaded by several.

pub(crate) mod promql;
mod template;

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::api::rules::{Rule, RuleGroup};
use promql::Dialect;

/// Every problem of the rule groups, in the order in which they are written.
#[must_use]
pub fn problems(groups: &[RuleGroup]) -> Vec<String> {
    let mut found = Vec::new();
    let mut names = BTreeSet::new();
    for group in groups {
        let place = format!("group {:?}", group.name);
        if group.name.is_empty() {
            found.push(format!("{place}: the name is empty"));
        }
        if !names.insert(&group.name) {
            found.push(format!("{place}: another group has the same name"));
        }
        found
            .extend(group_problems(group).into_iter().map(|problem| format!("{place}: {problem}")));
        for (index, rule) in group.rules.iter().enumerate() {
            let place = format!("{place}, {}", rule_place(index, rule));
            found.extend(
                rule_problems(rule).into_iter().map(|problem| format!("{place}: {problem}")),
            );
        }
    }
    found
}

/// `rule 1 "HighErrorRate"`: the position counted from 1, and the name where there is one.
fn rule_place(index: usize, rule: &Rule) -> String {
    let number = index + 1;
    match rule.alert.as_ref().or(rule.record.as_ref()) {
        Some(name) => format!("rule {number} {name:?}"),
        None => format!("rule {number}"),
    }
}

fn group_problems(group: &RuleGroup) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(duration("interval", group.interval.as_deref()));
    found.extend(duration("query_offset", group.query_offset.as_deref()));
    found.extend(label_problems("labels", &group.labels));
    found
}

fn rule_problems(rule: &Rule) -> Vec<String> {
    let mut found: Vec<String> = kind_problems(rule);
    found.extend(expression_problem(&rule.expr));
    found.extend(duration("for", rule.for_.as_deref()));
    found.extend(duration("keep_firing_for", rule.keep_firing_for.as_deref()));
    found.extend(label_problems("labels", &rule.labels));
    found.extend(label_problems("annotations", &rule.annotations));
    if rule.alert.is_some() {
        found.extend(template_problems("labels", &rule.labels));
        found.extend(template_problems("annotations", &rule.annotations));
    }
    found
}

/// What a rule is, and what only the other kind of rule may have.
fn kind_problems(rule: &Rule) -> Vec<String> {
    let mut found = Vec::new();
    match (rule.record.as_deref(), rule.alert.as_deref()) {
        (None, None) => found.push("one of record and alert must be set".to_owned()),
        (Some(_), Some(_)) => found.push("only one of record and alert may be set".to_owned()),
        (None, Some("")) => found.push("alert is empty".to_owned()),
        (None, Some(_)) => {}
        (Some(name), None) => {
            if !is_name(name, true) {
                found.push(format!(
                    "record: {name:?} is not a metric name (letters, digits, _ and :)"
                ));
            }
            let only_alerts = [
                ("for", rule.for_.is_some()),
                ("keep_firing_for", rule.keep_firing_for.is_some()),
                ("annotations", !rule.annotations.is_empty()),
            ];
            let set = only_alerts.into_iter().filter(|(_, set)| *set);
            found.extend(
                set.map(|(field, _)| format!("{field} is for alerts, not for a recording rule")),
            );
        }
    }
    found
}

/// A bare number is an expression as it stands.
fn expression_problem(expr: &IntOrString) -> Option<String> {
    let IntOrString::String(text) = expr else {
        return None;
    };
    if text.trim().is_empty() {
        return Some("expr is empty".to_owned());
    }
    promql::check(text, Dialect::Prometheus).err().map(|problem| format!("expr at {problem}"))
}

fn duration(field: &str, value: Option<&str>) -> Option<String> {
    let value = value.filter(|value| !promql::is_setting(value))?;
    Some(format!("{field}: {value:?} is not a duration (5m, 1h30m, 0)"))
}

fn label_problems(field: &str, labels: &BTreeMap<String, String>) -> Vec<String> {
    let bad = labels.keys().filter(|name| !is_name(name, false) || *name == "__name__");
    bad.map(|name| {
        format!("{field}: {name:?} is not a label name (letters, digits and _; not __name__)")
    })
    .collect()
}

/// Labels and annotations of an alert are Go templates.
fn template_problems(field: &str, values: &BTreeMap<String, String>) -> Vec<String> {
    let broken = |(name, text): (&String, &String)| {
        let (at, message) = template::fault(text)?;
        Some(format!("{field}.{name} at {}: {message}", promql::position(text, at)))
    };
    values.iter().filter_map(broken).collect()
}

/// Prometheus' classic names: metrics may hold colons, labels not.
fn is_name(name: &str, colons: bool) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    name.starts_with(|c: char| fits(c) && !c.is_ascii_digit()) && name.chars().all(fits)
}

#[cfg(test)]
mod tests;
