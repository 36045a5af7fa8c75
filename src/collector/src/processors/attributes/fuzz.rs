//! Fuzzed: an edit of bytes is what decoding, editing and encoding make of the request.

use obspipe_model::Value as Setting;
use obspipe_model::components::attributes::{
    Action, ActionKind, Attributes, ConvertedType, Resource,
};

use super::{Editor, Metadata, model};
use crate::signal::fuzz::oracle::Decoded;
use crate::signal::fuzz::{input, profiles};
use crate::signal::{Signal, rewrite, scan};

/// Few keys, so that actions meet attributes.
pub(crate) const KEYS: [&str; 5] = ["a", "ab", "b", "c", ""];
const TEXTS: [&str; 5] = ["", "new", "12", "1.5", "a=b;"];
const PATTERNS: [&str; 3] = ["^a", "b", "^c$"];
const GROUPS: [&str; 2] = ["(?P<a>.)(?P<c>[a-z]*)", "^(?P<ab>[a-z])?=(?P<d>.*)$"];
const TYPES: [ConvertedType; 3] =
    [ConvertedType::Int, ConvertedType::Double, ConvertedType::String];

/// A client that said nothing.
struct Silent;

impl Metadata for Silent {
    fn get(&self, _: &str) -> Option<String> {
        None
    }
}

/// The first byte chooses the signal, the second how many actions follow (up to 3), of three bytes
/// each, and whether they are for resources; the others are the request.
pub fn edits(data: &[u8]) {
    let [first, count, rest @ ..] = data else { return };
    let Some((signal, _)) = input(&[*first]) else { return };
    let (items, count) = (count & 4 == 0, usize::from(count & 3));
    let Some((chosen, request)) = rest.split_at_checked(3 * count) else { return };
    if scan::scan(signal, request).is_ok() {
        let actions = chosen.as_chunks::<3>().0.iter().map(action).collect();
        check(signal, &rewrite::canonical(signal, request), actions, items);
    }
}

fn action([kind, key, with]: &[u8; 3]) -> Action {
    use ActionKind::{Convert, Delete, Extract, Hash, Insert, Update, Upsert};
    let kinds = [Insert, Update, Upsert, Delete, Hash, Extract, Convert];
    let kind = of(&kinds, *kind);
    let mut action =
        Action { key: of(&KEYS, *key).to_owned(), action: Some(kind), ..Action::default() };
    match kind {
        Insert | Update | Upsert if with & 1 == 0 => {
            action.value = Some(Setting::String(of(&TEXTS, with >> 1).to_owned()));
        }
        Insert | Update | Upsert => {
            action.from_attribute = Some(of(&KEYS, with >> 1).to_owned());
        }
        Delete | Hash if with & 1 == 0 => {
            action.pattern = Some(of(&PATTERNS, with >> 1).to_owned());
        }
        Delete | Hash => {}
        Extract => action.pattern = Some(of(&GROUPS, *with).to_owned()),
        Convert => action.converted_type = Some(of(&TYPES, *with)),
    }
    action
}

fn of<T: Copy>(choices: &[T], chosen: u8) -> T {
    choices[usize::from(chosen) % choices.len()]
}

fn check(signal: Signal, request: &[u8], actions: Vec<Action>, items: bool) {
    let editor = match items {
        true => Editor::attributes(&Attributes { actions: actions.clone(), ..Default::default() }),
        false => Editor::resource(&Resource { attributes: actions.clone() }),
    };
    // An empty key is no key.
    let Ok(editor) = editor else { return };
    let edited = editor.apply(signal, request, &Silent);
    assert!(edited.as_deref() != Some(request), "an edit that changes nothing");
    let edited = edited.unwrap_or_else(|| request.to_vec());
    assert_eq!(scan::scan(signal, &edited), scan::scan(signal, request), "items or order");
    let Ok(before) = Decoded::of(signal, request) else { return };
    if !profiles(&before) {
        let expected = model::apply(signal, request, &actions, items);
        let (edited, expected) =
            (model::decoded(signal, &edited), model::decoded(signal, &expected));
        assert_eq!(edited, expected, "{actions:?} make something else");
    }
}
