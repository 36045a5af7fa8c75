//! The same requests given to ours and to contrib's translator v0.130.0 (src/collector/oracle/loki).
//! They may differ in what [`expected`] changes and [`requests`] takes out, and in nothing else.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use prost::Message as _;

use super::super::{Push, Translator};
use super::model::{self, PushRequest};
use super::requests::requests;
use super::{NOW, settings};

const REQUESTS: usize = 800;

/// By tenant and labels: times and lines.
type Streams = BTreeMap<(String, BTreeMap<String, String>), Vec<(i128, String)>>;

struct Answer {
    pushes: Vec<Push>,
    dropped: u64,
}

/// The binary that `OBSPIPE_ORACLE_LOKI` names, or else one built below the target directory.
fn oracle() -> PathBuf {
    if let Some(built) = std::env::var_os("OBSPIPE_ORACLE_LOKI") {
        return built.into();
    }
    let target = std::env::current_exe().unwrap().ancestors().nth(3).unwrap().to_owned();
    let (built, being_built) =
        (target.join("oracle-loki"), target.join(format!("oracle-loki.{}", std::process::id())));
    eprintln!("building the oracle {} with go build", built.display());
    let status = Command::new("go")
        .args(["build", "-o"])
        .arg(&being_built)
        .arg(".")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/loki"))
        .status()
        .expect("go is there");
    assert!(status.success(), "go build failed");
    std::fs::rename(&being_built, &built).unwrap();
    built
}

/// What the oracle makes of requests, each with labels to leave out.
fn ask(requests: &[(String, Vec<u8>)]) -> Vec<Answer> {
    let mut child = Command::new(oracle())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle starts");
    let mut stdin = child.stdin.take().unwrap();
    let mut input = Vec::new();
    for part in requests.iter().flat_map(|(disabled, request)| [disabled.as_bytes(), request]) {
        input.extend_from_slice(&u32::try_from(part.len()).unwrap().to_be_bytes());
        input.extend_from_slice(part);
    }
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    let mut rest = &output[..];
    let answers = requests.iter().map(|_| answer(&mut rest)).collect();
    assert!(rest.is_empty());
    answers
}

fn answer(rest: &mut &[u8]) -> Answer {
    let mut answer = Answer { pushes: Vec::new(), dropped: 0 };
    for _ in 0..number(rest) {
        let (tenant, bytes) = (field(rest), field(rest));
        answer.dropped += u64::from(number(rest));
        let tenant = Some(String::from_utf8(tenant).unwrap()).filter(|tenant| !tenant.is_empty());
        answer.pushes.push(Push { tenant, bytes, records: 0 });
    }
    answer
}

fn number(rest: &mut &[u8]) -> u32 {
    u32::from_be_bytes(*rest.split_off(..4).unwrap().first_chunk().unwrap())
}

fn field(rest: &mut &[u8]) -> Vec<u8> {
    let length = number(rest) as usize;
    rest.split_off(..length).unwrap().to_vec()
}

fn streams(pushes: &[Push]) -> Streams {
    let mut all = Streams::new();
    for push in pushes {
        for stream in PushRequest::decode(&push.bytes[..]).unwrap().streams {
            let key = (push.tenant.clone().unwrap_or_default(), model::labels(&stream.labels));
            let entries = stream.entries.into_iter().map(|entry| (entry.nanos(), entry.line));
            all.entry(key).or_default().extend(entries);
        }
    }
    all
}

/// The oracle's answer with the differences made that are meant: label names are ASCII and not
/// empty, and not sent is what has no label but empty ones, or a tenant that no header can have.
/// The second: records not sent.
fn expected(oracle: &Answer) -> (Streams, u64) {
    let (mut all, mut dropped) = (Streams::new(), oracle.dropped);
    for ((tenant, labels), entries) in streams(&oracle.pushes) {
        let labels: BTreeMap<_, _> = labels
            .into_iter()
            .filter(|label| !label.0.is_empty())
            .map(|(name, value)| (ascii(&name), value))
            .collect();
        let header = tenant.chars().all(|char| char == ' ' || char.is_ascii_graphic());
        if labels.values().all(String::is_empty) || !header {
            dropped += entries.len() as u64;
        } else {
            all.entry((tenant, labels)).or_default().extend(entries);
        }
    }
    (all, dropped)
}

fn ascii(name: &str) -> String {
    let name: String = name.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    let single = name.starts_with('_') && !name.starts_with("__");
    if single { format!("key{name}") } else { name }
}

/// A record without time has the time it is: ours was told, the oracle's is its own.
fn same_time(ours: &Streams, oracle: &mut Streams) {
    for (key, entries) in oracle {
        let Some(ours) = ours.get(key) else { continue };
        for (entry, ours) in entries.iter_mut().zip(ours).filter(|(_, ours)| ours.0 == NOW.into()) {
            entry.0 = ours.0;
        }
    }
}

#[test]
fn ours_is_the_oracles() {
    let cases = requests(REQUESTS);
    let encoded: Vec<_> =
        cases.iter().map(|(disabled, logs)| (disabled.clone(), logs.encode_to_vec())).collect();
    let mut compared = 0;
    for (((disabled, logs), (_, bytes)), oracle) in cases.iter().zip(&encoded).zip(ask(&encoded)) {
        let mut settings = settings();
        for label in disabled.split(',') {
            settings.default_labels_enabled.insert(label.into(), false);
        }
        let ours = Translator::new(&settings).translate([&bytes[..]], NOW);
        let (mut theirs, dropped) = expected(&oracle);
        let streams = streams(&ours.pushes);
        same_time(&streams, &mut theirs);
        for key in streams.keys().chain(theirs.keys()) {
            assert_eq!(streams.get(key), theirs.get(key), "stream {key:?} of {logs:#?}");
        }
        assert_eq!(ours.untranslatable, dropped, "of {logs:#?}");
        assert_eq!(ours.cut_lines, 0);
        compared += streams.values().map(Vec::len).sum::<usize>();
    }
    assert!(compared > REQUESTS, "too few records to tell: {compared}");
}
