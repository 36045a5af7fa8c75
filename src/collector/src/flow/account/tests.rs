use std::thread;

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1000;

fn peer() -> Arc<Peer> {
    Arc::default()
}

/// Grows a permit byte by byte until there is no room; returns it.
fn as_much_as_possible(account: &Arc<Account>, peer: &Arc<Peer>) -> Permit {
    let mut permit = account.permit(Signal::Traces, peer);
    while permit.grow(1).is_ok() {}
    permit
}

#[test]
fn one_alone_has_four_fifths() {
    let account = Account::new(LIMIT);
    let permit = as_much_as_possible(&account, &peer());
    assert_eq!((permit.bytes(), account.used()), (800, 800));
    drop(permit);
    // In one step neither.
    assert!(account.permit(Signal::Traces, &peer()).grow(801).is_err());
}

#[test]
fn a_light_peer_is_admitted_while_ten_heavy_ones_press() {
    let account = Account::new(LIMIT);
    let heavy: Vec<Permit> = (0..10).map(|_| as_much_as_possible(&account, &peer())).collect();
    // The first had most before the others came; all of them press again and again.
    let mut permits = heavy;
    for _ in 0..100 {
        for permit in &mut permits {
            permit.set(permit.bytes() / 2);
            while permit.grow(1).is_ok() {}
        }
    }
    let most = permits.iter().map(Permit::bytes).max().unwrap();
    let least = permits.iter().map(Permit::bytes).min().unwrap();
    assert!(most - least <= LIMIT / 20, "they come to have the same: {least} to {most}");
    let mut light = account.permit(Signal::Traces, &peer());
    light.grow(20).expect("a newcomer finds room");
    assert!(account.used() <= LIMIT);
}

#[test]
fn each_signal_has_its_own_limit_of_the_same_bytes() {
    let account = Account::new(LIMIT);
    account.limit(Signal::Metrics, 100);
    let mut traces = account.permit(Signal::Traces, &peer());
    traces.grow(90).unwrap();
    let mut metrics = account.permit(Signal::Metrics, &peer());
    assert_eq!(metrics.grow(9), Err(Full { used: 90, limit: 100 }));
    metrics.grow(8).unwrap();
    let mut logs = account.permit(Signal::Logs, &peer());
    logs.grow(100).expect("the other signals' limit is as it was");
    assert_eq!(account.limit_of(Signal::Metrics), 100);
    assert_eq!((account.used(), account.refused()), (198, 1));
}

#[test]
fn a_limit_below_what_is_used_refuses_and_takes_nothing_back() {
    let account = Account::new(LIMIT);
    let mut permit = account.permit(Signal::Logs, &peer());
    permit.grow(500).unwrap();
    account.limit(Signal::Logs, 100);
    assert_eq!(permit.grow(1), Err(Full { used: 500, limit: 100 }));
    assert_eq!(permit.bytes(), 500);
}

#[test]
fn looking_takes_nothing() {
    let account = Account::new(LIMIT);
    account.room(Signal::Logs, &peer(), 800).unwrap();
    assert_eq!(account.used(), 0);
    assert_eq!(
        account.room(Signal::Logs, &peer(), 801).unwrap_err().to_string(),
        "memory is short: 0 of 1000 bytes are in use"
    );
}

#[test]
fn what_is_there_anyway_is_charged_whatever_the_limit() {
    let account = Account::new(LIMIT);
    let state = account.charge(2 * LIMIT);
    assert_eq!(account.used(), 2 * LIMIT);
    assert!(account.permit(Signal::Traces, &peer()).grow(1).is_err());
    drop(state);
    assert_eq!(account.used(), 0);
}

#[test]
fn many_at_once_never_exceed_the_limit() {
    let account = Account::new(LIMIT);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..50_000 {
                    let mut permit = account.permit(Signal::Traces, &peer());
                    let _ = permit.grow(600);
                    assert!(account.used() <= LIMIT);
                }
            });
        }
    });
    assert_eq!(account.used(), 0);
}

#[derive(Clone, Debug)]
enum Act {
    Grow(usize, usize),
    Set(usize, usize),
    Drop(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0usize..4, 0usize..300).prop_map(|(who, bytes)| Act::Grow(who, bytes)),
        (0usize..4, 0usize..300).prop_map(|(who, bytes)| Act::Set(who, bytes)),
        (0usize..4).prop_map(Act::Drop),
    ]
}

proptest! {
    #[test]
    fn permits_give_back_exactly_what_they_took(acts in proptest::collection::vec(act(), 0..60)) {
        let account = Account::new(LIMIT);
        let peers = [peer(), peer()];
        let fresh = |who: usize| account.permit(Signal::Logs, &peers[who % 2]);
        let mut permits: Vec<Permit> = (0..4).map(fresh).collect();
        for act in acts {
            match act {
                Act::Grow(who, bytes) => {
                    let before = permits[who].bytes();
                    let grown = permits[who].grow(bytes).is_ok();
                    prop_assert_eq!(permits[who].bytes(), before + if grown { bytes } else { 0 });
                }
                Act::Set(who, bytes) => permits[who].set(bytes),
                Act::Drop(who) => permits[who] = fresh(who),
            }
            let of = |parity: usize| -> usize {
                permits.iter().skip(parity).step_by(2).map(Permit::bytes).sum()
            };
            prop_assert_eq!(account.used(), of(0) + of(1));
            prop_assert_eq!(peers[0].held.load(Relaxed), of(0));
            prop_assert_eq!(peers[1].held.load(Relaxed), of(1));
        }
        drop(permits);
        prop_assert_eq!(account.used(), 0);
        prop_assert_eq!(peers[0].held.load(Relaxed) + peers[1].held.load(Relaxed), 0);
    }
}
