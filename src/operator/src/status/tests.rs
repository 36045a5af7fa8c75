use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;

use super::*;

fn at(second: i64) -> Time {
    Time(Timestamp::from_second(second).unwrap())
}

fn identity() -> Identity {
    Identity { namespace: "ns".into(), name: "otel".into(), uid: "u".into() }
}

fn findings<'a>(identity: &'a Identity, verdict: &'a Verdict) -> Findings<'a> {
    Findings {
        identity,
        generation: Some(3),
        suspended: false,
        verdict,
        applied: None,
        pods: &[],
        held: None,
    }
}

fn find<'a>(status: &'a PipelineStatus, kind: &str) -> &'a Condition {
    status.conditions.iter().find(|condition| condition.kind == kind).unwrap()
}

#[test]
fn nothing_valid_so_far_is_said_by_every_condition() {
    let verdict = Verdict { rules: vec!["a rule".into()], ..Verdict::default() };
    let status = status(&findings(&identity(), &verdict), &PipelineStatus::default(), &at(1));
    assert_eq!(find(&status, "ConfigValid").reason, "Valid");
    assert_eq!(find(&status, "RulesReady").reason, "InvalidExpression");
    assert_eq!(find(&status, "CollectorAvailable").reason, "NothingToRun");
    assert_eq!(find(&status, "Ready").status, ConditionStatus::False);
    assert_eq!(status.observed_generation, Some(3));
    assert!(status.conditions.iter().all(|c| c.observed_generation == Some(3)));
}

#[test]
fn only_a_condition_whose_status_changed_takes_the_time() {
    let bad = Verdict { config: vec!["x".into()], ..Verdict::default() };
    let identity = identity();
    let first =
        status(&findings(&identity, &Verdict::default()), &PipelineStatus::default(), &at(1));
    let second = status(&findings(&identity, &bad), &first, &at(2));
    assert_eq!(find(&second, "ConfigValid").last_transition_time, at(2));
    assert_eq!(find(&second, "CollectorAvailable").last_transition_time, at(1));
    let third = status(&findings(&identity, &bad), &second, &at(3));
    assert_eq!(second, third, "a status stands still while nothing changes");
}

#[test]
fn a_message_is_sorted_and_bounded() {
    let details: Vec<String> = (0..30).rev().map(|n| format!("detail {n:02}")).collect();
    let text = message(Reason::InvalidConfig, details);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], Reason::InvalidConfig.sentence());
    assert_eq!(lines[1], "- detail 00");
    assert_eq!(lines.len(), 1 + MAX_DETAILS + 1);
    assert_eq!(lines[lines.len() - 1], "- and 10 more");
    let long = message(Reason::InvalidConfig, vec!["y".repeat(3000), "z".repeat(3000)]);
    assert!(long.len() <= MAX_MESSAGE && long.ends_with("- and 1 more"), "{}", long.len());
}

#[test]
fn every_reason_has_a_name_and_a_sentence_of_its_own() {
    let names: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    let sentences: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.sentence()).collect();
    assert_eq!(names.len(), Reason::ALL.len());
    assert_eq!(sentences.len(), Reason::ALL.len());
    assert!(sentences.iter().all(|sentence| sentence.ends_with('.')));
}

#[test]
fn an_event_tells_what_changed_once() {
    let identity = identity();
    let bad = Verdict { config: vec!["x".into()], ..Verdict::default() };
    let before =
        status(&findings(&identity, &Verdict::default()), &PipelineStatus::default(), &at(1));
    let after = status(&findings(&identity, &bad), &before, &at(2));
    let told: Vec<&str> = worth_an_event(&before, &after).iter().map(|c| c.kind.as_str()).collect();
    assert_eq!(told, ["ConfigValid"], "Ready says the same");
    assert!(worth_an_event(&after, &after).is_empty());
}

#[test]
fn a_suspended_pipeline_is_neither_ready_nor_not() {
    let verdict = Verdict::default();
    let identity = identity();
    let suspended = Findings { suspended: true, ..findings(&identity, &verdict) };
    let status = status(&suspended, &PipelineStatus::default(), &at(1));
    assert_eq!(find(&status, "Ready").status, ConditionStatus::Unknown);
    assert_eq!(find(&status, "Ready").reason, "Suspended");
}
