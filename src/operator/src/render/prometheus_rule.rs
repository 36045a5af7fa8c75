//! The PrometheusRule objects. Groups are never cut; when there are too many for one object they
//! are spread over several, and a group stays where it is as long as it fits, so that one edit
//! does not rewrite all objects.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Meta, Object, Surroundings, child};
use crate::api::RuleGroup;
use crate::kinds::Kind;
use crate::validate::Validated;

/// Most bytes of rule groups in one object: prometheus-operator refuses what does not fit half a
/// ConfigMap (512 KiB), and its YAML is larger than our JSON by indentation.
pub const MAX_RULE_OBJECT_BYTES: usize = 350 * 1024;

pub(super) fn prometheus_rules(
    pipeline: &Validated,
    surroundings: &Surroundings<'_>,
) -> Vec<Object> {
    let spec = pipeline.spec();
    let mut labels = surroundings.settings.rule_labels.clone();
    labels.extend(spec.rules.clone().unwrap_or_default().labels);
    place(&spec.rule_groups, surroundings.placement)
        .into_iter()
        .map(|(index, groups)| {
            let meta = Meta { labels: labels.clone(), ..Meta::default() };
            let name = pipeline.identity().rules(index);
            child(pipeline, Kind::PrometheusRule, name, meta, json!({"spec": {"groups": groups}}))
        })
        .collect()
}

/// Which object each group goes to: where it stands now if it still fits there, else the first
/// with room.
fn place<'a>(
    groups: &'a [RuleGroup],
    placement: &BTreeMap<String, usize>,
) -> BTreeMap<usize, Vec<&'a RuleGroup>> {
    let mut filled: BTreeMap<usize, usize> = BTreeMap::new();
    let mut chosen: BTreeMap<&str, usize> = BTreeMap::new();
    let (settled, new): (Vec<&RuleGroup>, Vec<&RuleGroup>) =
        groups.iter().partition(|group| placement.contains_key(&group.name));
    for group in settled.into_iter().chain(new) {
        let bytes = size(group);
        let fits = |index: &usize| {
            filled.get(index).is_none_or(|used| used + bytes <= MAX_RULE_OBJECT_BYTES)
        };
        let index = placement
            .get(&group.name)
            .copied()
            .filter(fits)
            .or_else(|| (0..=filled.len()).find(fits))
            .unwrap_or_default();
        *filled.entry(index).or_default() += bytes;
        chosen.insert(&group.name, index);
    }
    let mut placed: BTreeMap<usize, Vec<&RuleGroup>> = BTreeMap::new();
    for group in groups {
        let index = chosen.get(group.name.as_str()).copied().unwrap_or_default();
        placed.entry(index).or_default().push(group);
    }
    placed
}

/// Bytes of a group as JSON.
pub(crate) fn size(group: &RuleGroup) -> usize {
    serde_json::to_string(group).map_or(0, |text| text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::rules::Rule;
    use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

    fn group(name: &str, bytes: usize) -> RuleGroup {
        let rule = Rule {
            record: Some("r".into()),
            alert: None,
            expr: IntOrString::String("x".repeat(bytes)),
            for_: None,
            keep_firing_for: None,
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
        };
        RuleGroup { name: name.into(), rules: vec![rule], ..RuleGroup::default() }
    }

    fn names(placed: &BTreeMap<usize, Vec<&RuleGroup>>) -> Vec<(usize, Vec<String>)> {
        placed
            .iter()
            .map(|(index, groups)| (*index, groups.iter().map(|g| g.name.clone()).collect()))
            .collect()
    }

    #[test]
    fn small_groups_share_one_object_in_the_order_written() {
        let groups = [group("b", 10), group("a", 10)];
        let placed = place(&groups, &BTreeMap::new());
        assert_eq!(names(&placed), [(0, vec!["b".to_owned(), "a".to_owned()])]);
    }

    #[test]
    fn a_group_keeps_its_object_when_another_goes() {
        let big = MAX_RULE_OBJECT_BYTES / 2;
        let all = [group("a", big), group("b", big), group("c", big)];
        let before = place(&all, &BTreeMap::new());
        assert_eq!(before.len(), 3);
        let placement = BTreeMap::from([("a".into(), 0), ("b".into(), 1), ("c".into(), 2)]);
        let after = place(&all[1..], &placement);
        assert_eq!(names(&after), [(1, vec!["b".to_owned()]), (2, vec!["c".to_owned()])]);
    }

    #[test]
    fn a_group_that_outgrew_its_object_moves() {
        let groups = [group("a", 200), group("b", MAX_RULE_OBJECT_BYTES - 200)];
        let placement = BTreeMap::from([("a".into(), 0), ("b".into(), 0)]);
        assert_eq!(place(&groups, &placement).len(), 2);
    }
}
