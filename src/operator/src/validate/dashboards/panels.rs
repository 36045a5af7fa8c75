//! Panels in our own words: queries, thresholds and bounds.

use super::reads;
use crate::api::dashboards::{Datasource, Panel, Threshold};
use crate::validate::rules::promql::{self, Dialect};

/// Every problem, each beginning with `, panel 1 "Title": `.
pub(super) fn problems(panels: &[Panel]) -> Vec<String> {
    if panels.is_empty() {
        return vec![": panels is empty".into()];
    }
    let of = |(index, panel): (usize, &Panel)| {
        let place = format!(", panel {} {:?}: ", index + 1, panel.title);
        panel_problems(panel).into_iter().map(move |problem| format!("{place}{problem}"))
    };
    panels.iter().enumerate().flat_map(of).collect()
}

fn panel_problems(panel: &Panel) -> Vec<String> {
    let mut found = Vec::new();
    match (&panel.expr, panel.targets.is_empty()) {
        (None, true) => found.push("one of expr and targets must be set".to_owned()),
        (Some(_), false) => found.push("only one of expr and targets may be set".to_owned()),
        _ => {}
    }
    found.extend(panel.expr.as_ref().and_then(|expr| query(panel, "expr", expr)));
    for (index, target) in panel.targets.iter().enumerate() {
        found.extend(query(panel, &format!("target {}", index + 1), &target.expr));
    }
    found.extend(thresholds(&panel.thresholds));
    if let (Some(min), Some(max)) = (panel.min, panel.max)
        && min >= max
    {
        found.push(format!("min {min} is not below max {max}"));
    }
    found
}

/// Only PromQL is read; LogQL and searches for traces are left to their back ends.
fn query(panel: &Panel, place: &str, expr: &str) -> Option<String> {
    if expr.trim().is_empty() {
        return Some(format!("{place} is empty"));
    }
    if reads(panel) != Datasource::Metrics {
        return None;
    }
    let problem = promql::check(expr, Dialect::Grafana).err()?;
    Some(format!("{place} at {problem}"))
}

/// Grafana takes steps in ascending order, the base first.
fn thresholds(steps: &[Threshold]) -> Vec<String> {
    let mut found = Vec::new();
    if steps.iter().filter(|step| step.value.is_none()).count() > 1 {
        found.push("thresholds: more than one base colour (a step without value)".to_owned());
    }
    let values: Vec<f64> = steps.iter().filter_map(|step| step.value).collect();
    for pair in values.windows(2) {
        if let [low, high] = pair
            && low >= high
        {
            found.push(format!("thresholds: {high} comes after {low}; they must ascend"));
        }
    }
    found
}
