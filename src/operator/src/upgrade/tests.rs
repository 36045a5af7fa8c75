use proptest::prelude::*;

use super::*;

fn mark(spec: &str, template: &str, since: Option<i64>) -> Mark {
    let image = "registry.example/collector:1".to_owned();
    Mark { spec: spec.into(), template: template.into(), since, image }
}

fn flying(pipeline: &str, since: i64) -> InFlight {
    InFlight { pipeline: pipeline.into(), since, failing: false }
}

#[test]
fn a_mark_is_read_as_it_was_written() {
    for since in [None, Some(1_700_000_000)] {
        let mark = Mark { image: "a b:1@sha256:x".into(), ..mark("s", "t", since) };
        assert_eq!(mark.to_string().parse(), Ok(mark));
    }
    for bad in ["", "s", "s t", "s t -", "s t soon i", "s  - i"] {
        assert_eq!(bad.parse::<Mark>(), Err(NoMark), "{bad:?}");
    }
}

#[test]
fn what_is_new_or_changed_by_its_user_is_never_held() {
    let full = [flying("a/a", 0), flying("b/b", 0)];
    let wanted = mark("s2", "t2", None);
    assert_eq!(turn(None, false, wanted.clone(), &full, 1, 0), Turn::Apply(wanted.clone()));
    let live = mark("s1", "t1", None);
    assert_eq!(turn(Some(&live), true, wanted.clone(), &full, 1, 0), Turn::Apply(wanted));
}

#[test]
fn an_upgrade_waits_for_room_and_is_marked_with_its_beginning() {
    let (live, wanted) = (mark("s", "t1", None), mark("s", "t2", None));
    let held = turn(Some(&live), true, wanted.clone(), &[flying("a/a", 5)], 1, 9);
    let why = Held::Waiting { rolling: 1, limit: 1 };
    assert_eq!(held, Turn::Hold { live: live.clone(), why });
    let begun = turn(Some(&live), true, wanted, &[], 1, 9);
    assert_eq!(begun, Turn::Apply(mark("s", "t2", Some(9))));
}

#[test]
fn a_beginning_is_kept_until_the_pods_are_available() {
    let live = mark("s", "t2", Some(9));
    let wanted = mark("s", "t2", None);
    assert_eq!(turn(Some(&live), false, wanted.clone(), &[], 1, 50), Turn::Apply(live.clone()));
    assert_eq!(turn(Some(&live), true, wanted.clone(), &[], 1, 50), Turn::Apply(wanted));
}

/// A step back after an upgrade that failed: both that failed take it.
#[test]
fn who_has_a_place_goes_on_whatever_the_others_do() {
    let wanted = mark("s", "t1", None);
    let failing = InFlight { failing: true, ..flying("b/b", 0) };
    let turned = turn(Some(&mark("s", "t2", Some(3))), false, wanted, &[failing], 1, 9);
    assert_eq!(turned, Turn::Apply(mark("s", "t1", Some(9))));
}

#[test]
fn what_was_broken_before_takes_no_place() {
    let wanted = mark("s", "t2", None);
    let turned =
        turn(Some(&mark("s", "t1", None)), false, wanted.clone(), &[flying("b/b", 0)], 1, 9);
    assert_eq!(turned, Turn::Apply(wanted));
}

#[test]
fn one_that_fails_or_takes_too_long_stops_the_others() {
    let (live, wanted) = (mark("s", "t1", None), mark("s", "t2", None));
    let by =
        |others: &[InFlight], now| match turn(Some(&live), true, wanted.clone(), others, 9, now) {
            Turn::Hold { why: Held::Halted { by }, .. } => Some(by),
            _ => None,
        };
    assert_eq!(by(&[flying("b/b", 0)], PROGRESS_SECONDS), None);
    assert_eq!(by(&[flying("b/b", 0)], PROGRESS_SECONDS + 1), Some("b/b".into()));
    let failing = InFlight { failing: true, ..flying("c/c", 0) };
    assert_eq!(by(&[failing.clone(), flying("b/b", 0)], 1), Some("c/c".into()));
    let first = InFlight { failing: true, ..flying("a/a", 0) };
    assert_eq!(by(&[failing, first], 1), Some("a/a".into()));
}

/// A cluster of pipelines of which each has its pods' state.
#[derive(Clone, Debug)]
struct Simulated {
    mark: Mark,
    complete: bool,
}

proptest! {
    /// Whatever the order in which pipelines are looked at and become available: never more than
    /// the limit roll, and in the end all have.
    #[test]
    fn all_are_rolled_and_never_too_many_at_once(
        count in 1usize..12,
        limit in 1usize..5,
        order in proptest::collection::vec(0usize..12, 0..300),
    ) {
        let mut all = vec![Simulated { mark: mark("s", "t1", None), complete: true }; count];
        let rounds = (0..count * 3).flat_map(|_| 0..count);
        for (now, index) in (0i64..).zip(order.into_iter().map(|it| it % count).chain(rounds)) {
            let under_way: Vec<InFlight> = all
                .iter()
                .enumerate()
                .filter(|(other, it)| *other != index && !it.complete)
                .filter_map(|(other, it)| {
                    it.mark.since?;
                    // How long it takes is not the subject.
                    Some(flying(&format!("n/{other}"), now))
                })
                .collect();
            let it = all[index].clone();
            let decided =
                turn(Some(&it.mark), it.complete, mark("s", "t2", None), &under_way, limit, now);
            if let Turn::Apply(next) = decided {
                // Looked at again, the pods of the new template are available.
                let complete = next.template == it.mark.template;
                all[index] = Simulated { mark: next, complete };
            }
            let rolling = all.iter().filter(|it| !it.complete).count();
            prop_assert!(rolling <= limit, "{rolling} of {limit}");
        }
        for it in all {
            prop_assert_eq!(it.mark.template, "t2");
        }
    }
}
