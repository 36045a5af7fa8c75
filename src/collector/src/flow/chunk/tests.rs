use proptest::prelude::*;

use super::*;
use crate::flow::account::Account;
use crate::testing::{chunk, from_client, names, numbered, spans};

#[test]
fn a_part_taken_is_the_first_items_in_order() {
    let (first, rest) = spans("x", 10).take(Signal::Traces, 4);
    let rest = rest.unwrap();
    assert_eq!((first.items, rest.items), (4, 6));
    assert_eq!(names(Signal::Traces, &first.bytes), numbered("x", 10)[..4]);
    assert_eq!(names(Signal::Traces, &rest.bytes), numbered("x", 10)[4..]);
}

#[test]
fn all_of_it_is_itself() {
    for wanted in [3, 4, usize::MAX] {
        let whole = spans("x", 3);
        let (first, rest) = whole.clone().take(Signal::Traces, wanted);
        assert!(rest.is_none());
        assert_eq!((first.bytes, first.weight), (whole.bytes, whole.weight));
    }
    let whole = spans("x", 3);
    let length = whole.bytes.len();
    assert_eq!(whole.clone().cut(Signal::Traces, length).len(), 1);
    assert_eq!(whole.cut(Signal::Traces, length - 1).len(), 2);
}

#[test]
fn parts_keep_the_context_and_the_permit() {
    let account = Account::new(1 << 20);
    let whole = from_client(chunk(&account, Signal::Logs, &numbered("x", 9)), "tenant", "a");
    let used = account.used();
    let parts = whole.cut(Signal::Logs, 60);
    assert!(parts.len() > 2);
    assert!(parts.iter().all(|part| part.context.as_ref().unwrap().values("Tenant").eq(["a"])));
    assert_eq!(account.used(), used, "a part costs nothing more");
    let last = parts.into_iter().next_back();
    assert_eq!(account.used(), used, "one part holds all of it");
    drop(last);
    assert_eq!(account.used(), 0);
}

#[test]
fn edited_it_weighs_what_it_weighed() {
    let before = spans("x", 3);
    let after = before.clone().with_bytes(spans("longer-names", 3).bytes);
    assert_eq!((after.weight, after.items), (before.weight, before.items));
    assert!(after.bytes.len() > before.bytes.len());
}

proptest! {
    #[test]
    fn parts_weigh_together_what_the_whole_did(
        items in 1usize..60, wanted in 1usize..70, max_bytes in 1usize..800, weight in 0usize..5000,
    ) {
        for signal in Signal::ALL {
            let account = Account::new(1 << 20);
            let all = numbered("x", items);
            let whole = Chunk { weight, ..chunk(&account, signal, &all) };
            let (first, rest) = whole.clone().take(signal, wanted);
            let left = rest.as_ref().map_or(0, |rest| rest.weight);
            prop_assert_eq!(first.weight + left, weight);
            prop_assert_eq!(first.items, wanted.min(items));

            let parts = whole.cut(signal, max_bytes);
            prop_assert_eq!(parts.iter().map(|part| part.weight).sum::<usize>(), weight);
            prop_assert_eq!(parts.iter().map(|part| part.items).sum::<usize>(), items);
            let found: Vec<String> =
                parts.iter().flat_map(|part| names(signal, &part.bytes)).collect();
            prop_assert_eq!(found, all);
            for part in &parts {
                prop_assert!(part.bytes.len() <= max_bytes || part.items == 1);
            }
        }
    }
}
