use std::fs;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngSeed, TestRunner};

use super::*;
use crate::signal::generate;

/// Runs a target, and tells the input if it fails.
fn run(name: &str, target: fn(&[u8]), data: &[u8], from: &str) {
    if catch_unwind(|| target(data)).is_err() {
        let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        panic!("{name} fails, {from}: {hex}");
    }
}

/// A valid request of any signal, as one changed in many ways; each is given to every target.
fn round(runner: &mut TestRunner, from: &str) {
    let (signal, request) = generate::any_request().new_tree(runner).unwrap().current();
    let mut rng = runner.new_rng();
    let mut chance = |below: usize| rng.random_range(0..below);
    let of = super::super::request(signal);
    let mut changed = vec![request.clone(), mutate::reverse(of, &request)];
    changed.push(mutate::shuffle(of, &request, &mut chance));
    for one_in in [2, 20, 200] {
        changed.push(mutate::fields(of, &request, one_in, &mut chance));
    }
    for index in 0..changed.len() {
        let mut bytes = changed[index].clone();
        mutate::bytes(&mut bytes, &mut chance);
        changed.push(bytes);
    }
    let first = match signal {
        Signal::Traces => 0,
        Signal::Metrics => 1,
        Signal::Logs => 2,
    };
    for request in changed {
        for (name, target) in TARGETS {
            let limits: &[u8] = &[chance(9) as u8, chance(256) as u8];
            let limits = if name == "cut" { limits } else { &[] };
            run(name, target, &[&[first], limits, &request].concat(), from);
        }
    }
}

/// Runs 100 rounds that are always the same, or other ones for `OBSPIPE_FUZZ_SECONDS`.
#[test]
fn promises_are_kept_whatever_the_bytes() {
    let seconds = std::env::var("OBSPIPE_FUZZ_SECONDS").ok();
    let until = seconds.map(|seconds| {
        Instant::now() + Duration::from_secs(seconds.parse().expect("OBSPIPE_FUZZ_SECONDS"))
    });
    let first = match until {
        None => 0,
        Some(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() << 20,
    };
    let more = |seed| match until {
        None => seed < 100,
        Some(until) => Instant::now() < until,
    };
    for seed in (first..).take_while(|seed| more(*seed)) {
        let config = ProptestConfig { rng_seed: RngSeed::Fixed(seed), ..Default::default() };
        round(&mut TestRunner::new(config), &format!("seed {seed}"));
    }
}

#[test]
fn promises_are_kept_for_the_corpus() {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in TARGETS {
        let mut files = 0;
        for file in fs::read_dir(corpus.join(name)).unwrap() {
            let path = file.unwrap().path();
            run(name, target, &fs::read(&path).unwrap(), &path.display().to_string());
            files += 1;
        }
        assert!(files > 0, "no corpus for {name}");
    }
}

/// The oracle must see what is wrong: pieces in another order, and one missing.
#[test]
fn pieces_that_differ_are_seen() {
    let one = |time: u8| {
        let span = [0x39, time, 0, 0, 0, 0, 0, 0, 0];
        [&[0x0a, 13, 0x12, 11, 0x12, 9][..], &span].concat()
    };
    let request = Bytes::from([one(1), one(2)].concat());
    let whole = apart(Signal::Traces, &request);
    let pieces = cutting::cut(Signal::Traces, &request, 1, 0);
    check_pieces(Signal::Traces, &whole, &pieces);
    let turned: Vec<_> = pieces.iter().rev().cloned().collect();
    assert!(catch_unwind(|| check_pieces(Signal::Traces, &whole, &turned)).is_err());
    assert!(catch_unwind(|| check_pieces(Signal::Traces, &whole, &pieces[..1])).is_err());
}
