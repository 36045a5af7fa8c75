use proptest::prelude::*;

use super::*;

fn mark(spec: &str, template: &str, upgrade: Option<Begun>) -> Mark {
    let image = "registry.example/collector:1".to_owned();
    Mark { spec: spec.into(), template: template.into(), upgrade, image }
}

fn begun(at: i64) -> Option<Begun> {
    Some(Begun { at, missing: 0 })
}

fn flying(pipeline: &str, since: i64) -> InFlight {
    InFlight { pipeline: pipeline.into(), since, failing: false }
}

/// Of three pods, so many are there of the newest template and available.
fn rollout(available: i32) -> Rollout {
    Rollout { current: true, wanted: 3, updated: available, available, ..Rollout::default() }
}

#[test]
fn a_mark_is_read_as_it_was_written() {
    for upgrade in [None, Some(Begun { at: 1_700_000_000, missing: 2 })] {
        let mark = Mark { image: "a b:1@sha256:x".into(), ..mark("s", "t", upgrade) };
        assert_eq!(mark.to_string().parse(), Ok(mark));
    }
    for bad in ["", "s", "s t", "s t -", "s t 1 i", "s t 1/x i", "s  - i"] {
        assert_eq!(bad.parse::<Mark>(), Err(NoMark), "{bad:?}");
    }
}

/// What happens beside the upgrades `others`, of which `limit` may be under way.
fn turn(
    live: Option<&Mark>,
    rollout: Rollout,
    wanted: Mark,
    others: &[InFlight],
    limit: usize,
    now: i64,
) -> Turn {
    super::turn(live, rollout, wanted, || Others { under_way: others.to_vec(), limit }, now)
}

#[test]
fn what_is_new_or_changed_by_its_user_is_never_held() {
    let full = [flying("a/a", 0), flying("b/b", 0)];
    let wanted = mark("s2", "t2", None);
    assert_eq!(turn(None, rollout(0), wanted.clone(), &full, 1, 0), Turn::Apply(wanted.clone()));
    let live = mark("s1", "t1", None);
    assert_eq!(turn(Some(&live), rollout(3), wanted.clone(), &full, 1, 0), Turn::Apply(wanted));
}

#[test]
fn the_others_are_asked_only_where_an_upgrade_would_begin() {
    let nobody = || -> Others { panic!("asked") };
    let (old, new) = (mark("s", "t1", None), mark("s", "t2", None));
    let rolling = mark("s", "t1", begun(3));
    for live in [None, Some(&new), Some(&mark("s0", "t1", None)), Some(&rolling)] {
        let turned = super::turn(live, rollout(2), new.clone(), nobody, 9);
        assert!(matches!(turned, Turn::Apply(_)), "{live:?}");
    }
    let asked = std::cell::Cell::new(false);
    let others = || {
        asked.set(true);
        Others { under_way: Vec::new(), limit: 1 }
    };
    assert_eq!(
        super::turn(Some(&old), rollout(3), new, others, 9),
        Turn::Apply(mark("s", "t2", begun(9)))
    );
    assert!(asked.get());
}

#[test]
fn an_upgrade_waits_for_room_and_is_marked_with_its_beginning() {
    let (live, wanted) = (mark("s", "t1", None), mark("s", "t2", None));
    let held = turn(Some(&live), rollout(3), wanted.clone(), &[flying("a/a", 5)], 1, 9);
    let why = Held::Waiting { rolling: 1, limit: 1 };
    assert_eq!(held, Turn::Hold { live: live.clone(), why });
    let now = turn(Some(&live), rollout(3), wanted.clone(), &[], 1, 9);
    assert_eq!(now, Turn::Apply(mark("s", "t2", begun(9))));
    let lacking = turn(Some(&live), rollout(1), wanted, &[], 1, 9);
    assert_eq!(lacking, Turn::Apply(mark("s", "t2", Some(Begun { at: 9, missing: 2 }))));
}

#[test]
fn a_beginning_is_kept_until_the_pods_are_as_available_as_before() {
    let (live, wanted) = (mark("s", "t2", begun(9)), mark("s", "t2", None));
    let looked =
        |live: &Mark, available| turn(Some(live), rollout(available), wanted.clone(), &[], 1, 50);
    assert_eq!(looked(&live, 2), Turn::Apply(live.clone()));
    assert_eq!(looked(&live, 3), Turn::Apply(wanted.clone()));
    let node_down = mark("s", "t2", Some(Begun { at: 9, missing: 1 }));
    assert_eq!(looked(&node_down, 1), Turn::Apply(node_down.clone()));
    assert_eq!(looked(&node_down, 2), Turn::Apply(wanted.clone()));
}

/// A step back after an upgrade that failed: both that failed take it.
#[test]
fn who_has_a_place_goes_on_whatever_the_others_do() {
    let failing = InFlight { failing: true, ..flying("b/b", 0) };
    let live = mark("s", "t2", begun(3));
    let turned = turn(Some(&live), rollout(2), mark("s", "t1", None), &[failing], 1, 9);
    assert_eq!(turned, Turn::Apply(mark("s", "t1", begun(9))));
}

#[test]
fn one_that_fails_or_takes_too_long_stops_the_others() {
    let (live, wanted) = (mark("s", "t1", None), mark("s", "t2", None));
    let by = |others: &[InFlight], now| match turn(
        Some(&live),
        rollout(3),
        wanted.clone(),
        others,
        9,
        now,
    ) {
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
    available: i32,
}

impl Simulated {
    fn rolls(&self) -> bool {
        self.mark.upgrade.is_some_and(|it| !rollout(self.available).complete_but(it.missing))
    }
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
        let mut all = vec![Simulated { mark: mark("s", "t1", None), available: 3 }; count];
        let rounds = (0..count * 3).flat_map(|_| 0..count);
        for (now, index) in (0i64..).zip(order.into_iter().map(|it| it % count).chain(rounds)) {
            let others = all.iter().enumerate().filter(|(other, it)| *other != index && it.rolls());
            // How long it takes is not the subject.
            let under_way: Vec<InFlight> =
                others.map(|(other, _)| flying(&format!("n/{other}"), now)).collect();
            let it = all[index].clone();
            let pods = rollout(it.available);
            let wanted = mark("s", "t2", None);
            if let Turn::Apply(next) = turn(Some(&it.mark), pods, wanted, &under_way, limit, now) {
                // Looked at again, the pods of the new template are available.
                let available = if next.template == it.mark.template { 3 } else { 2 };
                all[index] = Simulated { mark: next, available };
            }
            let rolling = all.iter().filter(|it| it.rolls()).count();
            prop_assert!(rolling <= limit, "{rolling} of {limit}");
        }
        for it in all {
            prop_assert_eq!(it.mark.template, "t2");
        }
    }
}

/// What crashes and comes back gets nowhere.
#[test]
fn progress_is_more_than_ever_before() {
    let pods = |updated, available| Rollout { current: true, updated, available, ..rollout(0) };
    let mut progress = Progress::first("t", Begun { at: 5, missing: 0 }, pods(1, 3));
    assert!(progress.is_of("t") && !progress.is_of("t2"));
    for (seen, now, since) in [
        (pods(1, 3), 10, 5),
        (pods(2, 2), 20, 20),
        (pods(2, 3), 30, 20),
        (pods(1, 2), 40, 20),
        (pods(2, 3), 50, 20),
        (pods(2, 4), 60, 60),
    ] {
        progress.seen(seen, now);
        assert_eq!(progress.since, since, "{now}");
    }
}
