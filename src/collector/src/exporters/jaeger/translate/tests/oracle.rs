//! contrib's own translator, v0.85.0, built from src/collector/oracle/jaeger, on whatever is
//! generated; every difference is on purpose and stands in `as_ours`.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use opentelemetry_proto::tonic::trace::v1::span::Link;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::generate::NO_UTF8;
use super::*;

const REQUESTS: usize = 600;

/// The oracle's program: named by OBSPIPE_ORACLE_JAEGER, or built below the target directory.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("OBSPIPE_ORACLE_JAEGER") {
        return named.into();
    }
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| manifest.join("../../target"), PathBuf::from);
    let directory = target.join("oracle");
    std::fs::create_dir_all(&directory).expect("a directory below target");
    let directory = directory.canonicalize().expect("an absolute path");
    let program = directory.join("jaeger");
    if !program.exists() {
        // Not eprintln, which cargo test keeps to itself.
        let line = "building the jaeger oracle with go; the first time takes about a minute\n";
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    // Under a name of its own and then moved, as another test run may be using the program.
    let fresh = directory.join(format!("jaeger-{}", std::process::id()));
    let status = Command::new("go")
        .args([OsString::from("build"), "-o".into(), fresh.clone().into(), ".".into()])
        .current_dir(manifest.join("oracle/jaeger"))
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-buildvcs=false")
        .env("GOWORK", "off")
        .status()
        .expect("go, which builds the oracle");
    assert!(status.success(), "go build: {status}");
    std::fs::rename(&fresh, &program).expect("the built program in place");
    program
}

/// What contrib makes of each request.
fn ask(requests: &[&[u8]]) -> Vec<Vec<model::Batch>> {
    let mut child = Command::new(program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle runs");
    let mut stdin = child.stdin.take().expect("stdin");
    let mut input = Vec::new();
    for request in requests {
        input.extend_from_slice(&u32::try_from(request.len()).expect("short").to_be_bytes());
        input.extend_from_slice(request);
    }
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let mut output = Vec::new();
    child.stdout.take().expect("stdout").read_to_end(&mut output).expect("its answers");
    assert!(child.wait().expect("its end").success());
    writer.join().expect("the writer").expect("all was read");
    let mut rest = output.as_slice();
    let answers = requests
        .iter()
        .map(|_| (0..number(&mut rest)).map(|_| read(&mut rest)).collect())
        .collect();
    assert!(rest.is_empty());
    answers
}

fn number(rest: &mut &[u8]) -> usize {
    let (number, after) = rest.split_first_chunk::<4>().expect("a number");
    *rest = after;
    u32::from_be_bytes(*number) as usize
}

fn read(rest: &mut &[u8]) -> model::Batch {
    let length = number(rest);
    let (bytes, after) = rest.split_at(length);
    *rest = after;
    model::PostSpansRequest::decode(bytes).expect("a request").batch.expect("a batch")
}

/// Difference: ids that Jaeger cannot express. pdata refuses the whole request; it takes empty ones
/// for zeros, which we do only in links.
fn expressible(span: &Span) -> bool {
    let link = |link: &Link| {
        [0, 16].contains(&link.trace_id.len()) && [0, 8].contains(&link.span_id.len())
    };
    span.trace_id.len() == 16
        && span.span_id.len() == 8
        && [0, 8].contains(&span.parent_span_id.len())
        && span.links.iter().all(link)
}

/// The deliberate differences within a batch, and which of its spans have a parent.
fn as_ours(batch: &mut model::Batch, parents: &[bool]) {
    assert_eq!(batch.spans.len(), parents.len());
    for (span, parent) in batch.spans.iter_mut().zip(parents) {
        span.tags.iter_mut().for_each(scope_tag);
        // An end before the start is no duration.
        let duration = span.duration.as_mut().expect("a duration");
        if duration.seconds < 0 || duration.nanos < 0 {
            *duration = model::Time::default();
        }
        if *parent {
            link_to_parent(span);
        }
        lossy(&mut span.operation_name);
        span.tags.iter_mut().for_each(lossy_tag);
        span.logs.iter_mut().flat_map(|log| &mut log.fields).for_each(lossy_tag);
    }
    let process = batch.process.as_mut().expect("a process");
    lossy(&mut process.service_name);
    process.tags.iter_mut().for_each(lossy_tag);
}

/// The scope's tags have their newer names. (Nothing generated is called so otherwise.)
fn scope_tag(tag: &mut model::KeyValue) {
    if let Some(rest) = tag.key.strip_prefix(b"otel.library.") {
        tag.key = [b"otel.scope.", rest].concat();
    }
}

/// A link to the parent tells its type instead of being a second reference.
fn link_to_parent(span: &mut model::Span) {
    let mut parent = span.references.remove(0);
    span.references.retain(|link| {
        let other = (&link.trace_id, &link.span_id) != (&parent.trace_id, &parent.span_id);
        if !other {
            parent.ref_type = link.ref_type;
        }
        other
    });
    span.references.insert(0, parent);
}

/// What is no UTF-8 is replaced.
fn lossy(text: &mut Vec<u8>) {
    *text = String::from_utf8_lossy(text).into_owned().into_bytes();
}

fn lossy_tag(tag: &mut model::KeyValue) {
    lossy(&mut tag.key);
    lossy(&mut tag.v_str);
}

/// Go's encoder leaves out -0, which to us is not 0.
fn unsigned_zeros(batch: &mut model::Batch) {
    let spans = batch.spans.iter_mut();
    let tags = spans.flat_map(|span| {
        span.tags.iter_mut().chain(span.logs.iter_mut().flat_map(|log| &mut log.fields))
    });
    for tag in tags.chain(batch.process.iter_mut().flat_map(|process| &mut process.tags)) {
        if tag.v_float64 == (-0f64).to_bits() {
            tag.v_float64 = 0;
        }
    }
}

fn spoil(mut bytes: Vec<u8>) -> Vec<u8> {
    for (marker, replacement) in NO_UTF8 {
        for at in 2..bytes.len() {
            if bytes[at - 2..=at] == *marker.as_bytes() {
                bytes[at - 2..=at].copy_from_slice(&replacement);
            }
        }
    }
    bytes
}

/// A resource's spans as the oracle is asked: without those that Jaeger cannot express.
struct Question {
    resource: Vec<u8>,
    asked: Vec<u8>,
    /// Which of the spans have a parent.
    parents: Vec<bool>,
}

fn question(resource_spans: &ResourceSpans) -> Question {
    let mut clean = resource_spans.clone();
    clean.scope_spans.iter_mut().for_each(|scope| scope.spans.retain(expressible));
    let spans = clean.scope_spans.iter().flat_map(|scope| &scope.spans);
    let parents = spans.map(|span| span.parent_span_id.iter().any(|byte| *byte != 0)).collect();
    let resource = clean.resource.as_ref().map(Message::encode_to_vec).unwrap_or_default();
    Question { resource, parents, asked: spoil(encode(vec![clean])) }
}

/// Difference: spans of byte-equal resources in a row share a batch, and resources without spans
/// have none.
fn joined(questions: &[Question], answers: &[Vec<model::Batch>]) -> Vec<model::Batch> {
    let mut joined: Vec<(&[u8], model::Batch)> = Vec::new();
    let mut last = None;
    for (Question { resource, parents, .. }, batches) in questions.iter().zip(answers) {
        for mut batch in batches.iter().filter(|batch| !batch.spans.is_empty()).cloned() {
            as_ours(&mut batch, parents);
            match joined.last_mut() {
                Some((of, before)) if of == resource && last == Some(resource) => {
                    before.spans.extend(batch.spans);
                }
                _ => joined.push((resource, batch)),
            }
        }
        last = Some(resource);
    }
    joined.into_iter().map(|(_, batch)| batch).collect()
}

/// Batches as readable lines.
fn lines(batches: &[model::Batch]) -> Vec<String> {
    let tag = |tag: &model::KeyValue| {
        let (key, text) = (tag.key.escape_ascii(), tag.v_str.escape_ascii());
        let value = (tag.v_bool, tag.v_int64, tag.v_float64);
        format!("tag {key} type {} text {text} value {value:?}", tag.v_type)
    };
    let mut lines = Vec::new();
    for batch in batches {
        let process = batch.process.clone().unwrap_or_default();
        lines.push(format!("process {}", process.service_name.escape_ascii()));
        lines.extend(process.tags.iter().map(tag));
        for span in &batch.spans {
            let times = (span.start_time, span.duration);
            lines.push(format!("span {} {times:?}", span.operation_name.escape_ascii()));
            lines.extend(span.references.iter().map(|reference| format!("{reference:?}")));
            lines.extend(span.tags.iter().map(tag));
            for log in &span.logs {
                lines.push(format!("log {:?}", log.timestamp));
                lines.extend(log.fields.iter().map(tag));
            }
        }
    }
    lines
}

#[test]
fn contribs_translator_agrees() {
    let mut runner = TestRunner::deterministic();
    let strategy = super::generate::resource_spans();
    let requests: Vec<_> = (0..REQUESTS)
        .map(|_| strategy.new_tree(&mut runner).expect("a request").current())
        .collect();
    let questions: Vec<Vec<_>> =
        requests.iter().map(|request| request.iter().map(question).collect()).collect();
    let asked: Vec<_> = questions.iter().flatten().map(|it| it.asked.as_slice()).collect();
    let answers = ask(&asked);
    let mut answers = answers.as_slice();
    let (mut spans, mut odd) = (0, 0);
    for (request, questions) in requests.into_iter().zip(&questions) {
        let all = || request.iter().flat_map(|it| &it.scope_spans).flat_map(|it| &it.spans);
        let bad = all().filter(|span| !expressible(span)).count();
        let negative =
            |span: &&Span| expressible(span) && span.end_time_unix_nano < span.start_time_unix_nano;
        let negative = all().filter(negative).count();
        (spans, odd) = (spans + all().count(), odd + bad);
        let (these, rest) = answers.split_at(questions.len());
        answers = rest;
        let expected = joined(questions, these);
        let ours = translate([spoil(encode(request)).as_slice()], usize::MAX);
        let mut batches = batches(&ours);
        batches.iter_mut().for_each(unsigned_zeros);
        for (ours, theirs) in lines(&batches).iter().zip(&lines(&expected)) {
            assert_eq!(ours, theirs, "the first line that differs");
        }
        assert_eq!(batches, expected);
        assert_eq!((ours.untranslatable, ours.negative_durations), (bad as u64, negative as u64));
    }
    assert!(spans > REQUESTS && odd > 0, "{spans} spans, {odd} with odd ids");
}
