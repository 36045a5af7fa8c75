use proptest::prelude::*;
use tokio::time::sleep;

use super::*;
use crate::flow::leg::{FanOut, Leg, To};
use crate::testing::{Kept, from_client, ledger, names, numbered, spans};

fn settings(timeout_ms: u64, size: u32, max: u32) -> Batch {
    Batch {
        timeout: Duration::from_millis(timeout_ms),
        send_batch_size: size,
        send_batch_max_size: max,
        ..Batch::default()
    }
}

fn gathering(settings: Batch) -> Gathering {
    Gathering::new(settings, Signal::Traces)
}

fn counts(loads: &[Load]) -> Vec<usize> {
    loads.iter().map(Load::items).collect()
}

fn all(loads: &[Load]) -> Vec<String> {
    let chunks = loads.iter().flat_map(|load| &load.chunks);
    chunks.flat_map(|chunk| names(Signal::Traces, &chunk.bytes)).collect()
}

#[test]
fn enough_items_are_a_batch_of_all_there_is() {
    let (mut gathering, now) = (gathering(settings(200, 10, 0)), Instant::now());
    assert!(gathering.push(vec![spans("a", 9)], now).is_empty());
    assert_eq!(counts(&gathering.push(vec![spans("b", 25)], now)), [34]);
    assert_eq!(gathering.deadline(), None);
    assert_eq!(counts(&gathering.push(vec![spans("c", 10)], now)), [10]);
}

#[test]
fn chunks_are_not_joined_but_kept_in_order() {
    let (mut gathering, now) = (gathering(settings(200, 3, 0)), Instant::now());
    let loads = gathering.push(vec![spans("a", 1), spans("b", 1), spans("c", 1)], now);
    assert_eq!(loads[0].chunks.len(), 3);
    assert_eq!(all(&loads), ["a-0", "b-0", "c-0"]);
}

#[test]
fn the_largest_batch_is_exact() {
    let (mut gathering, now) = (gathering(settings(200, 10, 15)), Instant::now());
    let ready = gathering.push(vec![spans("a", 7), spans("b", 100)], now);
    assert_eq!(counts(&ready), [15; 7]);
    let rest = gathering.flush(now);
    assert_eq!(counts(&rest), [2]);
    let together = [all(&ready), all(&rest)].concat();
    assert_eq!(together, [numbered("a", 7), numbered("b", 100)].concat());
}

#[test]
fn a_batch_of_exactly_the_largest_size_is_not_cut() {
    let (mut gathering, now) = (gathering(settings(200, 10, 10)), Instant::now());
    let whole = spans("a", 10);
    let ready = gathering.push(vec![whole.clone()], now);
    assert_eq!(ready[0].chunks[0].bytes.as_ptr(), whole.bytes.as_ptr(), "not copied either");
    assert_eq!(counts(&gathering.push(vec![spans("b", 30)], now)), [10, 10, 10]);
    assert!(gathering.flush(now).is_empty());
}

#[test]
fn due_when_the_oldest_has_waited_long_enough() {
    let (mut gathering, now) = (gathering(settings(200, 10, 0)), Instant::now());
    let at = |ms| now + Duration::from_millis(ms);
    assert_eq!(gathering.deadline(), None);
    gathering.push(vec![spans("a", 1)], at(0));
    gathering.push(vec![spans("b", 1)], at(150));
    assert_eq!(gathering.deadline(), Some(at(200)));
    assert!(gathering.due(at(199)).is_empty());
    assert_eq!(counts(&gathering.due(at(200))), [2]);
    assert_eq!(gathering.deadline(), None);
    assert!(gathering.due(at(1000)).is_empty());
}

#[test]
fn what_a_full_batch_leaves_waits_from_then() {
    let (mut gathering, now) = (gathering(settings(200, 10, 10)), Instant::now());
    let at = |ms| now + Duration::from_millis(ms);
    gathering.push(vec![spans("a", 1)], at(0));
    assert_eq!(counts(&gathering.push(vec![spans("b", 11)], at(150))), [10]);
    assert_eq!(gathering.deadline(), Some(at(350)));
    assert_eq!(counts(&gathering.due(at(350))), [2]);
}

#[test]
fn what_is_due_obeys_the_largest_size_as_well() {
    let (mut gathering, now) = (gathering(settings(200, 100, 100)), Instant::now());
    gathering.push(vec![spans("a", 99)], now);
    gathering.settings.send_batch_max_size = 40;
    assert_eq!(counts(&gathering.flush(now)), [40, 40, 19]);
}

/// otelcol: without a timeout, or without a size, everything goes at once and only the largest size
/// counts.
#[test]
fn without_a_timeout_or_a_size_everything_goes_at_once() {
    for settings in [settings(0, 8192, 0), settings(200, 0, 0)] {
        let (mut gathering, now) = (gathering(settings), Instant::now());
        assert_eq!(counts(&gathering.push(vec![spans("a", 1)], now)), [1]);
        assert_eq!(counts(&gathering.push(vec![spans("a", 9)], now)), [9]);
        assert_eq!(gathering.deadline(), None);
    }
    let (mut gathering, now) = (gathering(settings(0, 8192, 4)), Instant::now());
    assert_eq!(counts(&gathering.push(vec![spans("a", 9)], now)), [4, 4, 1]);
}

fn by_tenant(limit: u32) -> Gathering {
    gathering(Batch {
        metadata_keys: vec!["Tenant".into()],
        metadata_cardinality_limit: limit,
        ..settings(200, 10, 0)
    })
}

#[test]
fn clients_with_other_headers_are_kept_apart() {
    let (mut gathering, now) = (by_tenant(1000), Instant::now());
    let of = |tenant: &str, items| from_client(spans(tenant, items), "tenant", tenant);
    assert!(gathering.push(vec![of("a", 6), of("b", 6), spans("none", 6)], now).is_empty());
    let ready = gathering.push(vec![of("b", 5)], now);
    assert_eq!(all(&ready), [numbered("b", 6), numbered("b", 5)].concat());
    let mut rest: Vec<String> = all(&gathering.flush(now));
    rest.sort();
    assert_eq!(rest, [numbered("a", 6), numbered("none", 6)].concat());
}

#[test]
fn a_header_may_stand_several_times_and_order_counts() {
    let (mut gathering, now) = (by_tenant(1000), Instant::now());
    let of = |values: &[&str]| {
        let metadata = values.iter().map(|v| ("tenant".to_owned(), (*v).to_owned())).collect();
        let context = crate::flow::chunk::Context { metadata, client: String::new() };
        Chunk { context: Some(Arc::new(context)), ..spans("x", 1) }
    };
    gathering.push(vec![of(&["a", "b"]), of(&["b", "a"]), of(&["a"]), of(&["a", "b"])], now);
    let mut counts = counts(&gathering.flush(now));
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 2]);
}

#[test]
fn combinations_beyond_the_limit_share_a_batch_and_are_not_lost() {
    let (mut gathering, now) = (by_tenant(3), Instant::now());
    let of = |n: usize| from_client(spans(&format!("{n}"), 1), "tenant", &n.to_string());
    gathering.push((0..9).map(of).collect(), now);
    let loads = gathering.flush(now);
    assert_eq!(loads.len(), 4);
    let mut counts = counts(&loads);
    counts.sort_unstable();
    assert_eq!(counts, [1, 1, 1, 6]);
    // Known ones go on being kept apart; places become free.
    gathering.push(vec![of(1), of(2), of(1)], now);
    assert_eq!(gathering.flush(now).len(), 2);
}

proptest! {
    #[test]
    fn nothing_is_lost_doubled_or_larger_than_allowed(
        size in 0u32..30,
        more in proptest::option::of(0u32..20),
        timeout in prop_oneof![Just(0u64), Just(200u64)],
        pushes in proptest::collection::vec((0u64..150, 1usize..40, 0u8..4), 0..20),
    ) {
        let max = more.map_or(0, |more| (size + more).max(1));
        let settings = Batch {
            metadata_keys: vec!["tenant".into()],
            metadata_cardinality_limit: 2,
            ..settings(timeout, size, max)
        };
        let (mut gathering, mut now) = (gathering(settings), Instant::now());
        let (mut out, mut given): (Vec<Load>, Vec<String>) = (Vec::new(), Vec::new());
        for (n, (wait, items, tenant)) in pushes.into_iter().enumerate() {
            now += Duration::from_millis(wait);
            out.extend(gathering.due(now));
            let chunk = spans(&format!("{n}"), items);
            given.extend(numbered(&format!("{n}"), items));
            let ready = gathering.push(vec![from_client(chunk, "tenant", &tenant.to_string())], now);
            for load in &ready {
                prop_assert!(timeout == 0 || load.items() >= size as usize || max > 0);
            }
            out.extend(ready);
            // What waits is less than a batch for each of the keys, and not overdue.
            for pending in gathering.pending.values() {
                prop_assert!(pending.items < size as usize);
            }
            if let Some(deadline) = gathering.deadline() {
                prop_assert!(deadline > now);
            }
        }
        out.extend(gathering.flush(now));
        prop_assert!(gathering.pending.is_empty());
        prop_assert!(max == 0 || out.iter().all(|load| load.items() <= max as usize));
        prop_assert!(out.iter().all(|load| load.items() > 0));
        let mut found = all(&out);
        found.sort();
        given.sort();
        prop_assert_eq!(found, given);
    }
}

fn running(settings: Batch) -> (Arc<Batcher>, Arc<Kept>, Scope) {
    let (kept, scope) = (Arc::new(Kept::default()), Scope::default());
    let leg = Leg { ledger: ledger("nop"), to: To::Direct(kept.clone()), gather: None };
    let next = Route::to(FanOut::new(vec![leg]));
    (Batcher::start(settings, Signal::Traces, next, &scope), kept, scope)
}

#[tokio::test(start_paused = true)]
async fn the_task_keeps_the_time() {
    let (batcher, kept, scope) = running(settings(200, 100, 0));
    sleep(Duration::from_secs(5)).await;
    for n in 0..3 {
        batcher.push(spans(&format!("{n}"), 1).into());
        sleep(Duration::from_millis(90)).await;
    }
    assert_eq!(kept.loads(), 1, "due after 200 ms, the third came before that");
    assert_eq!(kept.names(), ["0-0", "1-0", "2-0"]);
    sleep(Duration::from_secs(5)).await;
    batcher.push(spans("again", 1).into());
    sleep(Duration::from_millis(199)).await;
    assert_eq!(kept.loads(), 1);
    sleep(Duration::from_millis(3)).await;
    assert_eq!(kept.loads(), 2);
    scope.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_goes_at_once_and_flush_gives_the_rest() {
    let (batcher, kept, scope) = running(settings(200, 10, 10));
    batcher.push(spans("a", 25).into());
    assert_eq!(kept.loads(), 2);
    batcher.flush();
    assert_eq!((kept.loads(), kept.names()), (3, numbered("a", 25)));
    scope.end().await;
    batcher.push(spans("late", 1).into());
    batcher.flush();
    assert_eq!(kept.loads(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_too_long_to_be_kept_is_no_timeout() {
    let settings = Batch { timeout: Duration::MAX, ..settings(200, 10, 0) };
    let (batcher, kept, scope) = running(settings);
    batcher.push(spans("a", 1).into());
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(kept.loads(), 0);
    batcher.push(spans("b", 9).into());
    assert_eq!(kept.loads(), 1);
    scope.end().await;
}
