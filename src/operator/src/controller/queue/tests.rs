use proptest::prelude::*;

use super::*;

fn at(name: &str) -> PipelineRef {
    PipelineRef { namespace: "ns".into(), name: name.into() }
}

#[test]
fn what_is_added_twice_runs_once() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.add(at("a"));
    queue.add(at("a"));
    assert_eq!(queue.take(now), Some(at("a")));
    assert_eq!(queue.take(now), None);
}

#[test]
fn what_comes_during_a_run_leads_to_one_more() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.add(at("a"));
    let running = queue.take(now).unwrap();
    queue.add(at("a"));
    queue.add(at("a"));
    assert_eq!(queue.take(now), None, "never twice at once");
    queue.done(&running, Next::Settled, now, 0.0);
    assert_eq!(queue.take(now), Some(at("a")));
    queue.done(&running, Next::Settled, now, 0.0);
    assert_eq!(queue.take(now), None);
}

#[test]
fn a_failing_pipeline_waits_and_the_others_do_not() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.add(at("bad"));
    let bad = queue.take(now).unwrap();
    queue.done(&bad, Next::Retry, now, 0.0);
    queue.add(at("good"));
    assert_eq!(queue.take(now), Some(at("good")));
    assert_eq!(queue.take(now), None);
    assert_eq!(queue.next_due(), Some(now + FIRST_BACKOFF));
    assert_eq!(queue.take(now + FIRST_BACKOFF), Some(at("bad")));
}

#[test]
fn a_change_ends_the_wait() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.add(at("a"));
    let a = queue.take(now).unwrap();
    queue.done(&a, Next::After(Duration::from_secs(60)), now, 0.0);
    queue.add(at("a"));
    assert_eq!(queue.take(now), Some(at("a")));
    assert_eq!(queue.next_due(), None, "the old appointment is off");
}

#[test]
fn backoff_doubles_to_its_bound_and_success_resets_it() {
    assert_eq!(backoff(1, 0.0), FIRST_BACKOFF);
    assert_eq!(backoff(2, 0.0), FIRST_BACKOFF * 2);
    assert_eq!(backoff(1_000_000, 0.0), LONGEST_BACKOFF);
    assert!(backoff(3, 1.0) < backoff(3, 0.0));
    assert!(backoff(3, 1.0) > backoff(2, 0.0));
    let (mut queue, now) = (Queue::default(), Instant::now());
    for next in [Next::Retry, Next::Retry, Next::Settled, Next::Retry] {
        queue.add(at("a"));
        let a = queue.take(now).unwrap();
        queue.done(&a, next, now, 0.0);
    }
    assert_eq!(queue.next_due(), Some(now + FIRST_BACKOFF));
}

proptest! {
    /// Whatever happens: no pipeline runs twice at once, and none that was added is forgotten.
    #[test]
    fn nothing_runs_twice_and_nothing_is_lost(steps in prop::collection::vec((0..4u8, 0..5u8), 0..200)) {
        let mut queue = Queue::default();
        let mut now = Instant::now();
        let mut running: Vec<PipelineRef> = Vec::new();
        let mut owed: HashSet<PipelineRef> = HashSet::new();
        for (what, which) in steps {
            let name = at(&which.to_string());
            match what {
                0 => { queue.add(name.clone()); owed.insert(name); }
                1 => if let Some(next) = queue.take(now) {
                    prop_assert!(!running.contains(&next));
                    owed.remove(&next);
                    running.push(next);
                },
                2 => if let Some(ended) = running.pop() {
                    queue.done(&ended, Next::Retry, now, 0.5);
                    owed.insert(ended);
                },
                _ => now += Duration::from_secs(1),
            }
        }
        for ended in running.drain(..) {
            queue.done(&ended, Next::Settled, now, 0.5);
        }
        now += LONGEST_BACKOFF;
        while let Some(next) = queue.take(now) {
            owed.remove(&next);
            queue.done(&next, Next::Settled, now, 0.5);
        }
        prop_assert!(owed.is_empty(), "lost: {owed:?}");
    }
}
