use super::*;
use crate::testing::ledger;

#[test]
fn every_item_is_in_one_place() {
    let ledger = ledger("otlp/a");
    ledger.enter(100);
    assert_eq!((ledger.balance().entered, ledger.balance().queued), (100, 100));
    ledger.begin(80);
    ledger.sent(50);
    for (reason, items) in Reason::ALL.into_iter().zip(1..) {
        ledger.dropped(reason, items);
    }
    let balance = ledger.balance();
    assert!(balance.holds());
    assert_eq!((balance.sent, balance.queued, balance.in_flight), (50, 20, 80 - 50 - 21));
    let dropped: Vec<(&str, u64)> = balance.dropped.into_iter().collect();
    let expected = [
        ("partial_success", 2),
        ("queue_full", 4),
        ("rejected_by_backend", 1),
        ("retries_exhausted", 3),
        ("shutdown", 5),
        ("untranslatable", 6),
    ];
    assert_eq!(dropped, expected);
}

#[test]
fn an_item_missing_is_noticed() {
    let mut balance = ledger("otlp").balance();
    assert!(balance.holds());
    balance.entered += 1;
    assert!(!balance.holds());
    balance.dropped.insert("shutdown", 1);
    assert!(balance.holds());
}

#[test]
fn as_json_it_is_the_law() {
    let ledger = ledger("otlp");
    ledger.enter(3);
    ledger.begin(2);
    ledger.dropped(Reason::QueueFull, 1);
    let json = serde_json::to_string(&ledger.balance()).unwrap();
    let expected = r#"{"in":3,"sent":0,"dropped":{"queue_full":1},"queued":1,"in_flight":1}"#;
    assert_eq!(json, expected);
    assert_eq!(Reason::QueueFull.to_string(), "queue_full");
}
