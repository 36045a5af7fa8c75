use std::collections::BTreeSet;

use obspipe_model::Signal;

use super::*;
use crate::flow::chunk::Chunk;
use crate::testing::{ledger, names, numbered, spans};

fn bounds(sizer: Sizer, size: usize) -> Bounds {
    Bounds { sizer, size, bytes: usize::MAX, block: false, wait: false }
}

fn queue(bounds: Bounds) -> Arc<Queue> {
    Queue::new("otlp".parse().unwrap(), bounds)
}

fn size(load: &Load) -> Size {
    Size { items: load.items(), weight: load.weight() }
}

fn load(prefix: &str, items: usize) -> Load {
    spans(prefix, items).into()
}

/// Offers a load as admission does.
fn offer(queue: &Queue, mut load: Load, ledger: &Arc<Ledger>) -> Result<Room, ()> {
    let room = queue.reserve(size(&load))?;
    if room == Room::Lost {
        load.chunks.iter_mut().for_each(|chunk| chunk.lost_to = Some([queue.id.clone()].into()));
    }
    ledger.enter(load.items());
    queue.push(load, ledger);
    Ok(room)
}

/// How many loads of so many items find room.
fn fit(queue: &Queue, items: usize) -> usize {
    let ledger = ledger("otlp");
    (0..1000).take_while(|_| offer(queue, load("x", items), &ledger).is_ok()).count()
}

#[test]
fn requests_items_and_bytes_are_bounds() {
    let weight = load("x", 10).weight();
    assert_eq!(fit(&queue(bounds(Sizer::Requests, 7)), 10), 7);
    assert_eq!(fit(&queue(bounds(Sizer::Items, 100)), 10), 10);
    assert_eq!(fit(&queue(bounds(Sizer::Items, 99)), 10), 9);
    assert_eq!(fit(&queue(bounds(Sizer::Bytes, 3 * weight)), 10), 3);
    assert_eq!(fit(&queue(bounds(Sizer::Bytes, 3 * weight - 1)), 10), 2);
    let share = Bounds { bytes: 4 * weight, ..bounds(Sizer::Requests, 1000) };
    assert_eq!(fit(&queue(share), 10), 4);
}

#[test]
fn the_size_is_counted_as_configured() {
    let weight = load("x", 10).weight();
    for (sizer, expected) in [(Sizer::Requests, 2), (Sizer::Items, 20), (Sizer::Bytes, 2 * weight)]
    {
        let queue = queue(bounds(sizer, 5000));
        let ledger = ledger("otlp");
        offer(&queue, load("x", 10), &ledger).unwrap();
        offer(&queue, load("y", 10), &ledger).unwrap();
        assert_eq!(queue.size(), (expected, 5000));
        assert_eq!(queue.bytes(), 2 * weight);
    }
}

#[test]
fn what_is_on_its_way_has_its_room() {
    let one = load("x", 10);
    let queue = queue(bounds(Sizer::Items, 25));
    queue.reserve(size(&one)).unwrap();
    queue.reserve(size(&one)).unwrap();
    assert_eq!(queue.reserve(size(&one)), Err(()));
    queue.cancel(size(&one));
    assert_eq!(queue.reserve(size(&one)), Ok(Room::Free));
    let ledger = ledger("otlp");
    ledger.enter(20);
    queue.push(one.clone(), &ledger);
    queue.push(one.clone(), &ledger);
    assert_eq!(queue.size(), (20, 25));
    assert_eq!(queue.reserve(size(&one)), Err(()));
}

/// The account let it in; a queue that never took it would have its client try for ever.
#[test]
fn a_request_above_the_share_passes_alone() {
    let large = load("x", 100);
    let queue = queue(Bounds { bytes: large.weight() / 2, ..bounds(Sizer::Requests, 10) });
    let ledger = ledger("otlp");
    assert_eq!(offer(&queue, large.clone(), &ledger), Ok(Room::Free));
    assert_eq!(offer(&queue, large.clone(), &ledger), Err(()));
    assert_eq!(offer(&queue, load("y", 1), &ledger), Err(()));
    // Not alone either while something is on its way.
    let other = self::queue(Bounds { bytes: large.weight() / 2, ..bounds(Sizer::Requests, 10) });
    other.reserve(size(&load("y", 1))).unwrap();
    assert_eq!(other.reserve(size(&large)), Err(()));
}

#[tokio::test]
async fn first_in_first_out_and_counted_as_in_flight() {
    let (queue, ledger) = (queue(bounds(Sizer::Requests, 10)), ledger("otlp"));
    offer(&queue, load("a", 2), &ledger).unwrap();
    offer(&queue, load("b", 3), &ledger).unwrap();
    assert_eq!(ledger.balance().queued, 5);
    let first = queue.pop().await.unwrap();
    assert_eq!(names(Signal::Traces, &first.load.chunks[0].bytes), numbered("a", 2));
    let balance = ledger.balance();
    assert_eq!((balance.queued, balance.in_flight), (3, 2));
    assert_eq!(queue.size().0, 1);
    assert_eq!(queue.pop().await.unwrap().load.items(), 3);
    assert_eq!(queue.bytes(), 0);
}

#[test]
fn full_and_failing_drops_what_comes_and_counts_it() {
    let (queue, ledger) = (queue(bounds(Sizer::Requests, 2)), ledger("otlp"));
    queue.set_failing(true);
    assert_eq!(offer(&queue, load("a", 5), &ledger), Ok(Room::Free));
    assert_eq!(offer(&queue, load("b", 5), &ledger), Ok(Room::Free));
    assert_eq!(offer(&queue, load("c", 7), &ledger), Ok(Room::Lost));
    let balance = ledger.balance();
    assert!(balance.holds());
    assert_eq!((balance.queued, balance.dropped["queue_full"]), (10, 7));
    // It takes again: the client is told to try again.
    queue.set_failing(false);
    assert_eq!(offer(&queue, load("d", 1), &ledger), Err(()));
    assert_eq!(ledger.balance().entered, 17);
}

#[test]
fn the_bound_of_bytes_holds_while_failing() {
    let weight = load("x", 10).weight();
    for sizer in [Sizer::Requests, Sizer::Bytes] {
        let share = Bounds { bytes: 2 * weight, ..bounds(sizer, 2 * weight) };
        let (queue, ledger) = (queue(share), ledger("otlp"));
        queue.set_failing(true);
        for _ in 0..10 {
            offer(&queue, load("x", 10), &ledger).unwrap();
        }
        assert_eq!(queue.bytes(), 2 * weight);
        assert_eq!(ledger.balance().dropped["queue_full"], 80);
        assert!(ledger.balance().holds());
    }
}

#[test]
fn what_was_admitted_while_it_worked_is_kept_though_full() {
    let (queue, ledger) = (queue(bounds(Sizer::Requests, 1)), ledger("otlp"));
    let (a, b) = (load("a", 1), load("b", 1));
    // Both were admitted before either came: a batch lay between.
    queue.reserve(size(&a)).unwrap();
    queue.reserve(size(&b)).unwrap();
    ledger.enter(2);
    queue.push(a, &ledger);
    queue.push(b, &ledger);
    assert_eq!(queue.size().0, 2);
    assert_eq!(ledger.balance().queued, 2);
}

/// A batch may bring together what was admitted with room and without.
#[tokio::test]
async fn what_was_promised_room_is_kept_though_full_and_failing() {
    let (queue, ledger) = (queue(bounds(Sizer::Requests, 1)), ledger("otlp"));
    queue.set_failing(true);
    assert_eq!(queue.reserve(size(&load("promised", 3))), Ok(Room::Free));
    assert_eq!(offer(&queue, load("first", 1), &ledger), Ok(Room::Free));
    let mut batch = load("promised", 3);
    let other = Chunk { lost_to: Some(["otlp/other".parse().unwrap()].into()), ..spans("y", 2) };
    let lost = Chunk { lost_to: Some([queue.id.clone()].into()), ..spans("lost", 4) };
    batch.chunks.extend([lost.clone(), other]);
    ledger.enter(9);
    queue.push(batch, &ledger);
    let balance = ledger.balance();
    assert_eq!((balance.queued, balance.dropped["queue_full"]), (6, 4));
    assert_eq!(queue.pop().await.unwrap().load.items(), 1);
    let kept = queue.pop().await.unwrap().load;
    assert_eq!(kept.chunks.iter().map(|chunk| chunk.items).collect::<Vec<_>>(), [3, 2]);
    // There is room by now: nothing is lost.
    ledger.enter(4);
    queue.push(lost.into(), &ledger);
    assert_eq!(queue.pop().await.unwrap().load.items(), 4);
    assert!(ledger.balance().holds());
}

#[test]
fn bounds_may_change_while_something_waits() {
    let (queue, ledger) = (queue(bounds(Sizer::Requests, 2)), ledger("otlp"));
    offer(&queue, load("a", 5), &ledger).unwrap();
    offer(&queue, load("b", 5), &ledger).unwrap();
    queue.set_bounds(Bounds { wait: true, block: true, ..bounds(Sizer::Items, 12) });
    assert_eq!(queue.size(), (10, 12));
    assert!(queue.waits() && queue.blocks());
    assert_eq!(offer(&queue, load("c", 3), &ledger), Err(()));
    assert_eq!(offer(&queue, load("c", 2), &ledger), Ok(Room::Free));
}

#[tokio::test]
async fn closing_hands_out_what_is_left() {
    let (queue, ledger) = (queue(bounds(Sizer::Requests, 10)), ledger("otlp"));
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.pop().await.map(|waiting| waiting.load.items()) }
    });
    tokio::task::yield_now().await;
    offer(&queue, load("a", 1), &ledger).unwrap();
    assert_eq!(waiting.await.unwrap(), Some(1));
    offer(&queue, load("b", 2), &ledger).unwrap();
    offer(&queue, load("c", 3), &ledger).unwrap();
    queue.close();
    assert_eq!(queue.pop().await.unwrap().load.items(), 2);
    assert_eq!(queue.pop().await.unwrap().load.items(), 3);
    assert!(queue.pop().await.is_none());
    assert!(queue.pop().await.is_none());
}

#[tokio::test]
async fn a_pop_given_up_loses_nothing() {
    let (queue, ledger) = (queue(bounds(Sizer::Requests, 10)), ledger("otlp"));
    let mut given_up = Box::pin(queue.pop());
    assert!(futures::poll!(given_up.as_mut()).is_pending());
    offer(&queue, load("a", 1), &ledger).unwrap();
    // The permit is already its own.
    drop(given_up);
    let popped = tokio::time::timeout(std::time::Duration::from_secs(5), queue.pop()).await;
    assert_eq!(popped.expect("it waits for the next one").unwrap().load.items(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_consumers_and_producers_lose_nothing_and_double_nothing() {
    let (queue, ledger) = (queue(bounds(Sizer::Requests, 20)), ledger("otlp"));
    let produce = |producer: usize| {
        let (queue, ledger) = (queue.clone(), ledger.clone());
        tokio::spawn(async move {
            for n in 0..200 {
                let load = load(&format!("{producer}-{n}"), 1);
                while offer(&queue, load.clone(), &ledger).is_err() {
                    tokio::task::yield_now().await;
                }
            }
        })
    };
    let consume = |_| {
        let queue = queue.clone();
        tokio::spawn(async move {
            let mut got = Vec::new();
            while let Some(waiting) = queue.pop().await {
                for chunk in waiting.load.chunks {
                    got.extend(names(Signal::Traces, &chunk.bytes));
                }
            }
            got
        })
    };
    let consumers: Vec<_> = (0..6).map(consume).collect();
    for producer in (0..4).map(produce).collect::<Vec<_>>() {
        producer.await.unwrap();
    }
    queue.close();
    let mut got = Vec::new();
    for consumer in consumers {
        got.extend(consumer.await.unwrap());
    }
    assert_eq!(got.len(), 800);
    assert_eq!(got.into_iter().collect::<BTreeSet<_>>().len(), 800);
    let balance = ledger.balance();
    assert_eq!((balance.entered, balance.queued, balance.in_flight), (800, 0, 800));
    assert_eq!(queue.size().0, 0);
}

#[tokio::test]
async fn who_waits_for_room_is_told() {
    let (queue, ledger) = (queue(bounds(Sizer::Requests, 1)), ledger("otlp"));
    offer(&queue, load("a", 1), &ledger).unwrap();
    let told = queue.left.notified();
    tokio::pin!(told);
    assert!(futures::poll!(told.as_mut()).is_pending());
    queue.pop().await.unwrap();
    assert!(futures::poll!(told.as_mut()).is_ready());
}
