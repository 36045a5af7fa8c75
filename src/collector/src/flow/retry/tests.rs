use proptest::prelude::*;

use super::*;

fn seconds(s: f64) -> Duration {
    Duration::from_secs_f64(s)
}

/// Waits for these chances, time passing by as much as is waited.
fn waits(settings: &Retry, chance: f64, after: Option<Duration>) -> Vec<f64> {
    let began = Instant::now();
    let (mut now, mut backoff) = (began, Backoff::new(settings, began));
    let mut waits = Vec::new();
    while waits.len() < 50 {
        let Some(wait) = backoff.next(now, after, chance) else { break };
        waits.push(wait.as_secs_f64());
        now += wait;
    }
    waits
}

fn sure() -> Retry {
    Retry { randomization_factor: 0.0, ..Retry::default() }
}

/// cenkalti/backoff's NextBackOff with otelcol's defaults: 5 s, times 1.5, at most 30 s, 300 s in all.
#[test]
fn the_defaults_are_otelcols() {
    let waits = waits(&sure(), 0.3, None);
    assert_eq!(waits[..6], [5.0, 7.5, 11.25, 16.875, 25.3125, 30.0]);
    assert!(waits[5..].iter().all(|wait| *wait == 30.0));
    let total: f64 = waits.iter().sum();
    assert!(total <= 300.0 && total + 30.0 > 300.0, "{total}");
}

#[test]
fn chance_is_half_of_a_wait_in_both_directions() {
    let settings = Retry::default();
    let first = |chance| Backoff::new(&settings, Instant::now()).next(Instant::now(), None, chance);
    assert_eq!(first(0.0), Some(seconds(2.5)));
    assert_eq!(first(0.5), Some(seconds(5.0)));
    assert_eq!(first(1.0), Some(seconds(7.5)));
}

#[test]
fn what_the_backend_asks_for_is_the_least() {
    let asked = Some(seconds(20.0));
    assert_eq!(waits(&sure(), 0.5, asked)[..6], [20.0, 20.0, 20.0, 20.0, 25.3125, 30.0]);
    // More than is left: given up at once.
    assert_eq!(waits(&sure(), 0.5, Some(seconds(301.0))), Vec::<f64>::new());
}

#[test]
fn the_limit_is_reached_exactly_and_not_passed() {
    let settings = Retry { max_elapsed_time: seconds(12.5), ..sure() };
    assert_eq!(waits(&settings, 0.5, None), [5.0, 7.5]);
    let settings = Retry { max_elapsed_time: seconds(12.4), ..sure() };
    assert_eq!(waits(&settings, 0.5, None), [5.0]);
}

#[test]
fn zero_is_for_ever_and_off_is_never() {
    let for_ever = Retry { max_elapsed_time: Duration::ZERO, ..sure() };
    assert_eq!(waits(&for_ever, 0.5, None).len(), 50);
    let never = Retry { enabled: false, ..sure() };
    assert_eq!(waits(&never, 0.5, None), Vec::<f64>::new());
}

/// otelcol takes it: the first wait is then the longest.
#[test]
fn a_first_interval_above_the_longest_is_used_once() {
    let settings = Retry { initial_interval: seconds(40.0), ..sure() };
    assert_eq!(waits(&settings, 0.5, None)[..3], [40.0, 30.0, 30.0]);
}

proptest! {
    #[test]
    fn whatever_is_configured_it_does_not_panic_and_stays_in_range(
        initial in 0.0f64..1e9,
        max in 0.0f64..1e9,
        multiplier in prop_oneof![0.0f64..100.0, Just(f64::INFINITY), Just(f64::MAX)],
        factor in 0.0f64..=1.0,
        chance in 0.0f64..=1.0,
    ) {
        let settings = Retry {
            initial_interval: seconds(initial),
            max_interval: seconds(max),
            multiplier,
            randomization_factor: factor,
            max_elapsed_time: Duration::ZERO,
            ..Retry::default()
        };
        let longest = initial.max(max) * (1.0 + factor) + 1e-3;
        let now = Instant::now();
        let mut backoff = Backoff::new(&settings, now);
        for _ in 0..10 {
            let wait = backoff.next(now, None, chance).unwrap().as_secs_f64();
            prop_assert!(wait <= longest, "{wait} > {longest}");
        }
    }
}
