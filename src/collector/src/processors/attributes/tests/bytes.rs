//! What is not edited stays byte for byte.

use super::*;
use crate::signal::scan::scan;
use crate::signal::wire::Write as _;

/// A message, of fields that are written one after the other.
fn message(fields: &[(u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    fields.iter().for_each(|(number, content)| out.put_bytes_field(*number, content));
    out
}

/// A request in which at every level something unknown stands before and behind, and what is known
/// stands in descending order.
fn unusual(attributes: &[Vec<u8>]) -> Vec<u8> {
    let unknown: (u32, &[u8]) = (900, &[0xff; 3]);
    let around = |fields: &[(u32, &[u8])]| message(&[&[unknown], fields, &[unknown]].concat());
    let attributes: Vec<(u32, &[u8])> = attributes.iter().map(|one| (9, &one[..])).collect();
    let span = around(&[&[(15, &[][..])], &attributes[..], &[(5, &b"name"[..])]].concat());
    let scope_spans = around(&[(3, b"url"), (2, b""), (2, &span), (1, b"")]);
    let resource_spans = around(&[(2, &scope_spans), (1, b"")]);
    around(&[(1, &resource_spans)])
}

/// An attribute whose value stands before its key, with something unknown in both.
fn attribute(key: &str, value: &[u8]) -> Vec<u8> {
    message(&[(800, b"u"), (2, &[value, &message(&[(700, b"v")])].concat()), (1, key.as_bytes())])
}

const ONE: &[u8] = &[0x18, 1];

#[test]
fn an_edit_changes_the_attribute_and_lengths_only() {
    let request = unusual(&[attribute("a", ONE), attribute("b", ONE), attribute("c", ONE)]);
    let long = "x".repeat(300);
    let actions = vec![
        action(ActionKind::Delete, "a"),
        put(ActionKind::Update, "b", &long),
        Action { from_attribute: Some("c".to_owned()), ..action(ActionKind::Insert, "d") },
    ];
    let edited = editor(actions).apply(Signal::Traces, &request, &Silent);
    let b = message(&[(800, b"u"), (2, &message(&[(1, long.as_bytes())])), (1, b"b")]);
    // What is copied is copied whole.
    let copied = [ONE, &message(&[(700, b"v")])].concat();
    let d = message(&[(1, b"d"), (2, &copied)]);
    assert_eq!(edited, Some(unusual(&[b, attribute("c", ONE), d])));
}

#[test]
fn no_change_is_none() {
    let request = unusual(&[attribute("a", ONE)]);
    let idle = [
        vec![action(ActionKind::Delete, "x"), put(ActionKind::Update, "x", "1")],
        vec![Action { from_attribute: Some("a".to_owned()), ..action(ActionKind::Upsert, "a") }],
    ];
    for actions in idle {
        assert_eq!(editor(actions.clone()).apply(Signal::Traces, &request, &Silent), None);
        let insert = put(ActionKind::Insert, "a", "1");
        let change = [actions, vec![insert]].concat();
        assert!(resource_editor(change).apply(Signal::Traces, &request, &Silent).is_some());
    }
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        let insert = vec![put(ActionKind::Insert, "a", "1")];
        assert_eq!(editor(insert.clone()).apply(signal, &[], &Silent), None);
        assert_eq!(resource_editor(insert).apply(signal, &[], &Silent), None);
    }
}

#[test]
fn lengths_of_more_bytes_than_needed_stay_where_nothing_changes() {
    // Two resources, both with an empty resource of which the length takes two bytes; to the first
    // belongs a span.
    let scope_spans = message(&[(2, b"")]);
    let with_span = [&[0x0a, 0x80, 0x00][..], &message(&[(2, &scope_spans)])].concat();
    let request = message(&[(1, &with_span), (1, &[0x0a, 0x80, 0x00])]);
    let edited = editor(vec![put(ActionKind::Insert, "a", "1")]);
    let edited = edited.apply(Signal::Traces, &request, &Silent).unwrap();
    let attribute = message(&[(1, b"a"), (2, &message(&[(1, b"1")]))]);
    let scope_spans = message(&[(2, &message(&[(9, &attribute)]))]);
    let with_span = [&[0x0a, 0x80, 0x00][..], &message(&[(2, &scope_spans)])].concat();
    assert_eq!(edited, message(&[(1, &with_span), (1, &[0x0a, 0x80, 0x00])]));
}

#[test]
fn a_resource_that_is_missing_is_made() {
    let request = message(&[(1, &message(&[(3, b"url")])), (1, b"")]);
    let insert = resource_editor(vec![put(ActionKind::Insert, "a", "1")]);
    let resource = message(&[(1, &message(&[(1, b"a"), (2, &message(&[(1, b"1")]))]))]);
    let expected =
        message(&[(1, &message(&[(1, &resource), (3, b"url")])), (1, &message(&[(1, &resource)]))]);
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        assert_eq!(insert.apply(signal, &request, &Silent).as_ref(), Some(&expected));
        assert!(scan(signal, &expected).unwrap().canonical);
    }
    let delete = resource_editor(vec![action(ActionKind::Delete, "a")]);
    assert_eq!(delete.apply(Signal::Traces, &request, &Silent), None);
}

#[test]
fn what_is_no_message_does_no_harm() {
    let insert = vec![put(ActionKind::Insert, "a", "1"), action(ActionKind::Hash, "b")];
    let request = unusual(&[attribute("a", ONE), attribute("b", ONE)]);
    for length in 0..request.len() {
        for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
            let cut = &request[..length];
            let edited = editor(insert.clone()).apply(signal, cut, &Silent);
            assert!(edited.is_none_or(|edited| edited.len() > cut.len()));
            let _ = resource_editor(insert.clone()).apply(signal, cut, &Silent);
        }
    }
}
