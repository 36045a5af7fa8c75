//! Requests and actions by chance, against the model.

use obspipe_model::components::attributes::ConvertedType;
use proptest::prelude::*;
use proptest::{collection::vec, option, sample::select};

use super::*;
use crate::signal::generate;
use crate::signal::scan::scan;

/// Few keys, so that actions meet attributes.
fn key() -> impl Strategy<Value = String> + Clone {
    select(vec!["a", "ab", "b", "c"]).prop_map(str::to_owned)
}

fn any_action() -> impl Strategy<Value = Action> {
    use ActionKind::{Convert, Delete, Extract, Hash, Insert, Update, Upsert};
    let put = select(vec![Insert, Update, Upsert]);
    let some_text = select(vec!["", "new", "12", "1.5", "a=b;"]);
    let converted = select(vec![ConvertedType::Int, ConvertedType::Double, ConvertedType::String]);
    let extract = select(vec!["(?P<a>.)(?P<c>[a-z]*)", "^(?P<ab>[a-z])?=(?P<d>.*)$"]);
    let pattern = || option::of(select(vec!["^a", "b", "^c$"]).prop_map(str::to_owned));
    prop_oneof![
        (put.clone(), key(), some_text).prop_map(|(kind, key, text)| super::put(kind, &key, text)),
        (put, key(), key()).prop_map(|(kind, key, from)| Action {
            from_attribute: Some(from),
            ..action(kind, &key)
        }),
        (select(vec![Delete, Hash]), key(), pattern())
            .prop_map(|(kind, key, pattern)| Action { pattern, ..action(kind, &key) }),
        (key(), extract).prop_map(|(key, pattern)| Action {
            pattern: Some(pattern.to_owned()),
            ..action(Extract, &key)
        }),
        (key(), converted)
            .prop_map(|(key, to)| Action { converted_type: Some(to), ..action(Convert, &key) }),
    ]
}

/// Attributes with few keys, some twice.
fn few_keys() -> impl Strategy<Value = Vec<KeyValue>> {
    let shown = select(vec!["", "-7", "+1e3", "x=1", "=", "zz"])
        .prop_map(|shown| AnyValue { value: text(shown) });
    let value = option::weighted(0.9, prop_oneof![shown, generate::any_value()]);
    vec((key(), value), 0..5).prop_map(|pairs| {
        let pair = |(key, value)| KeyValue { key, value, ..KeyValue::default() };
        pairs.into_iter().map(pair).collect()
    })
}

/// A request whose lists of attributes are some of those given.
pub(crate) fn request() -> impl Strategy<Value = (Signal, Vec<u8>)> {
    (generate::any_request(), vec(few_keys(), 1..4)).prop_map(|((signal, request), lists)| {
        let next = std::cell::Cell::new(0);
        let request = model::each_list(signal, &request, |attributes| {
            attributes.clone_from(&lists[next.get() % lists.len()]);
            next.set(next.get() + 1);
        });
        (signal, request)
    })
}

proptest! {
    #[test]
    fn edits_are_those_of_the_model(
        (signal, request) in request(),
        actions in vec(any_action(), 1..5),
        items: bool,
    ) {
        let editor = if items { editor(actions.clone()) } else { resource_editor(actions.clone()) };
        let edited = editor.apply(signal, &request, &Silent);
        prop_assert_ne!(edited.as_ref(), Some(&request));
        let edited = edited.unwrap_or_else(|| request.clone());
        prop_assert_eq!(
            model::decoded(signal, &edited),
            model::decoded(signal, &model::apply(signal, &request, &actions, items))
        );
        let before = scan(signal, &request).unwrap();
        prop_assert_eq!(scan(signal, &edited), Ok(before));
    }

    /// What is added and removed again leaves every byte where it was.
    #[test]
    fn there_and_back((signal, request) in generate::any_request()) {
        let there = editor(vec![put(ActionKind::Insert, "\u{1}new", &"x".repeat(130))]);
        let back = editor(vec![action(ActionKind::Delete, "\u{1}new")]);
        let items = scan(signal, &request).unwrap().items;
        match there.apply(signal, &request, &Silent) {
            Some(edited) => prop_assert_eq!(back.apply(signal, &edited, &Silent), Some(request)),
            None => prop_assert_eq!(items, 0),
        }
    }

    /// Bytes that are no request, or of another signal, are no harm.
    #[test]
    fn any_bytes_do_no_harm(
        bytes in vec(any::<u8>(), 0..200),
        (_, request) in generate::any_request(),
        cut: prop::sample::Index,
        signal in generate::signal(),
    ) {
        let actions = vec![put(ActionKind::Upsert, "a", "x"), action(ActionKind::Hash, "b")];
        for bytes in [&bytes[..], &request, &request[..cut.index(request.len() + 1)]] {
            let _ = editor(actions.clone()).apply(signal, bytes, &Silent);
            let _ = resource_editor(actions.clone()).apply(signal, bytes, &Silent);
        }
    }
}
