//! The targets with the corpora, and with input made by chance from the seeds 0, 1, 2, ...: a few, or
//! as many as `OBSPIPE_FUZZ_SECONDS` have time for, as CI does. A failure names its seed;
//! `OBSPIPE_FUZZ_SEED` repeats it. libFuzzer looks further.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::ProptestConfig;
use proptest::test_runner::{RngSeed, TestRunner};

use super::*;

mod make;

/// Rounds of every target where no time is given.
const ROUNDS: u64 = 40;

/// Runs a target, and tells the input if it fails.
fn run(name: &str, target: fn(&[u8]), data: &[u8], from: &str) {
    if catch_unwind(|| target(data)).is_err() {
        let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
        panic!("{name} fails, {from}. The input: {hex}");
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

/// The seeds to try: one, the first few, or as many as there is time for.
fn seeds() -> Box<dyn Iterator<Item = u64>> {
    match (number("OBSPIPE_FUZZ_SEED"), number("OBSPIPE_FUZZ_SECONDS")) {
        (Some(seed), _) => Box::new(std::iter::once(seed)),
        (None, None) => Box::new(0..ROUNDS),
        (None, Some(seconds)) => {
            let until = Instant::now() + Duration::from_secs(seconds);
            Box::new((0..).take_while(move |_| Instant::now() < until))
        }
    }
}

fn by_chance(name: &str) {
    let (_, target) = TARGETS.into_iter().find(|target| target.0 == name).unwrap();
    for seed in seeds() {
        let config = ProptestConfig { rng_seed: RngSeed::Fixed(seed), ..Default::default() };
        let from = format!(
            "seed {seed}; again: OBSPIPE_FUZZ_SEED={seed} cargo test -p obspipe-collector --lib \
             fuzz::tests::by_chance::{name}"
        );
        for data in make::input(name, &mut TestRunner::new(config)) {
            run(name, target, &data, &from);
        }
    }
}

macro_rules! each_by_chance {
    ($($name:ident)*) => {
        mod by_chance {
            $(#[test] fn $name() { super::by_chance(stringify!($name)); })*
        }
        const TRIED: &[&str] = &[$(stringify!($name)),*];
    };
}

each_by_chance!(scan canonical cut views json json_text edits frames);

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    files.map(|file| stem(file.unwrap().path())).collect()
}

#[test]
fn every_target_is_tried_in_all_ways() {
    let all: BTreeSet<String> = TARGETS.iter().map(|target| target.0.to_owned()).collect();
    assert_eq!(TRIED.iter().map(ToString::to_string).collect::<BTreeSet<_>>(), all);
    assert_eq!(names(&folder("corpus")), all);
    assert_eq!(names(&folder("fuzz_targets")), all);
}

#[test]
fn promises_are_kept_for_the_corpora() {
    for (name, target) in TARGETS {
        let mut files = 0;
        for file in fs::read_dir(folder("corpus").join(name)).unwrap() {
            let path = file.unwrap().path();
            run(name, target, &fs::read(&path).unwrap(), &path.display().to_string());
            files += 1;
        }
        assert!(files > 0, "no corpus for {name}");
    }
}
