//! Input of every target, made by chance and by what the target reads: mostly of good form, with
//! something changed.

use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use prost::Message as _;

use crate::net::compress::deflate;
use crate::net::fuzz::ENCODINGS;
use crate::processors::attributes::tests::property;
use crate::signal::fuzz::mutate::{self, Chance};
use crate::signal::json::to_json;
use crate::signal::{Signal, generate};

/// Some input for a target.
pub(super) fn input(name: &str, runner: &mut TestRunner) -> Vec<Vec<u8>> {
    let mut rng = runner.new_rng();
    let mut chance = |below: usize| rng.random_range(0..below);
    match name {
        "json_text" => texts(runner, &mut chance),
        "frames" => frames(&mut chance),
        _ => requests(name, runner, &mut chance),
    }
}

fn first(signal: Signal) -> u8 {
    match signal {
        Signal::Traces => 0,
        Signal::Metrics => 1,
        Signal::Logs => 2,
    }
}

fn some_bytes(count: usize, chance: &mut impl Chance) -> Vec<u8> {
    (0..count).map(|_| chance(256) as u8).collect()
}

/// A valid request of any signal, as one changed in many ways, each behind what the target reads
/// before it.
fn requests(name: &str, runner: &mut TestRunner, chance: &mut impl Chance) -> Vec<Vec<u8>> {
    let tree = match name {
        "edits" => property::request().new_tree(runner).unwrap().current(),
        _ => generate::any_request().new_tree(runner).unwrap().current(),
    };
    let (signal, request) = tree;
    let of = crate::signal::request(signal);
    let mut changed = vec![request.clone(), mutate::reverse(of, &request)];
    changed.push(mutate::shuffle(of, &request, chance));
    for one_in in [2, 20, 200] {
        changed.push(mutate::fields(of, &request, one_in, chance));
    }
    for index in 0..changed.len() {
        let mut bytes = changed[index].clone();
        mutate::bytes(&mut bytes, chance);
        changed.push(bytes);
    }
    let whole = |request: Vec<u8>| {
        let before = match name {
            "cut" => vec![chance(9) as u8, chance(256) as u8],
            "edits" => {
                let count = chance(8);
                [vec![count as u8], some_bytes(3 * (count & 3), chance)].concat()
            }
            // A request made of these comes back, too.
            "json" if chance(2) == 0 => {
                let length = chance(1500);
                return [vec![first(signal)], some_bytes(length, chance)].concat();
            }
            _ => Vec::new(),
        };
        [vec![first(signal)], before, request].concat()
    };
    changed.into_iter().map(whole).collect()
}

/// What may stand in JSON, and what may not.
const TOKENS: [&str; 22] = [
    "null",
    "true",
    "0",
    "-1",
    "1e400",
    "1.5e-7",
    "18446744073709551616",
    "-0",
    "\"NaN\"",
    "\"\"",
    "\"-9223372036854775808\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "{}",
    "[]",
    "[[",
    "{\"",
    ",",
    ":",
    "\"traceId\":",
    "\"spans\":[",
    "//",
];

/// A request as text, with tokens and bytes changed.
fn texts(runner: &mut TestRunner, chance: &mut impl Chance) -> Vec<Vec<u8>> {
    let (signal, request) = generate::any_request().new_tree(runner).unwrap().current();
    let mut text = Vec::new();
    to_json(signal, &[&request], &mut text);
    let mut changed = vec![text.clone()];
    for _ in 0..6 {
        let mut other = text.clone();
        (0..=chance(3)).for_each(|_| retoken(&mut other, chance));
        changed.push(other.clone());
        mutate::bytes(&mut other, chance);
        changed.push(other);
    }
    let whole = |text: Vec<u8>| [vec![first(signal), chance(256) as u8], text].concat();
    changed.into_iter().map(whole).collect()
}

/// Puts a token where one begins or ends, in the place of some bytes or between.
fn retoken(text: &mut Vec<u8>, chance: &mut impl Chance) {
    let edge = |at: &usize| matches!(text[*at], b'{' | b'}' | b'[' | b']' | b',' | b':' | b'"');
    let edges: Vec<usize> = (0..text.len()).filter(edge).collect();
    if edges.is_empty() {
        return;
    }
    let at = edges[chance(edges.len())] + chance(2);
    let until = match chance(3) {
        0 => at,
        _ => edges.iter().copied().find(|edge| *edge >= at).unwrap_or(at),
    };
    text.splice(at..until, TOKENS[chance(TOKENS.len())].bytes());
}

/// Compressed bodies and gRPC's words, whole and changed.
fn frames(chance: &mut impl Chance) -> Vec<Vec<u8>> {
    let mut made = Vec::new();
    let length = match chance(30) {
        // More than one step.
        0 => 300_000,
        1..10 => chance(5000),
        _ => chance(40),
    };
    let body = match chance(2) {
        0 => some_bytes(length, chance),
        _ => b"the same again, ".iter().copied().cycle().take(length).collect(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (index, encoding) in ENCODINGS.into_iter().enumerate() {
        let pieces = [bytes::Bytes::from(body.clone())];
        let mut one = runtime.block_on(deflate(encoding, &pieces)).unwrap();
        // Several members, as gzip and others allow.
        (0..chance(3)).for_each(|_| one.extend_from_within(..));
        made.push((index as u8, one.clone()));
        mutate::bytes(&mut one, chance);
        made.push((index as u8, one));
    }
    let partial = ExportTracePartialSuccess {
        rejected_spans: chance(5) as i64 - 2,
        error_message: "é%\n".repeat(chance(3)),
    };
    let answer = ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    let mut other = [&answer[..], &answer].concat();
    mutate::bytes(&mut other, chance);
    let words = b"14\nnot%20now%\nCA4SB25vdCBub3c\nCgIIAQ".to_vec();
    let mut wrong = words.clone();
    mutate::bytes(&mut wrong, chance);
    made.extend([answer, other, words, wrong].map(|words| (6 + chance(2) as u8, words)));
    let whole = |(first, rest): (u8, Vec<u8>)| [vec![first, chance(256) as u8], rest].concat();
    made.into_iter().map(whole).collect()
}
