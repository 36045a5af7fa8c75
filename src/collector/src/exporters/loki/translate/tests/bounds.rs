//! How long lines and pushes become, whatever is asked for.

use std::time::Instant;

use proptest::prelude::*;

use super::model::{PushRequest, labels, list, logs, map, record, text};
use super::*;

fn bounded(max_request_bytes: u64, max_line_size: u64) -> Translator {
    Translator::new(&Loki { max_request_bytes, max_line_size, ..Loki::default() })
}

fn run(translator: &Translator, logs: &LogsData) -> Translated {
    translator.translate([&logs.encode_to_vec()[..]], NOW)
}

fn raw(body: &str, max_line_size: u64) -> (String, u64) {
    let logs = logs(&[("loki.format", text("raw"))], vec![record(body, &[])]);
    let translated = run(&bounded(1 << 20, max_line_size), &logs);
    (sent(&translated.pushes).remove(0).1, translated.cut_lines)
}

#[test]
fn a_long_line_is_cut_at_a_character() {
    let mark = "…[truncated]";
    assert_eq!(mark.len(), 14);
    assert_eq!(raw(&"a".repeat(20), 20), ("a".repeat(20), 0));
    assert_eq!(raw(&"a".repeat(21), 20), (format!("aaaaaa{mark}"), 1));
    assert_eq!(raw(&"é".repeat(11), 20), (format!("ééé{mark}"), 1));
    assert_eq!(raw(&"日".repeat(9), 19), (format!("日{mark}"), 1));
    assert_eq!(raw(&"日".repeat(9), 7), ("日日".into(), 1), "no room for the mark");
    assert_eq!(raw("日", 1), (String::new(), 1));
}

proptest! {
    /// What goes into a line does not change how long it may be, and the cut is counted.
    #[test]
    fn no_line_is_longer_than_may_be(
        body in any::<String>(),
        value in any::<String>(),
        scope in any::<String>(),
        format in prop::sample::select(vec!["json", "logfmt", "raw"]),
        limit in 1u64..200,
    ) {
        let attributes = [("v", text(&value)), ("loki.format", text(format))];
        let resource = [("a", text(&value)), ("b", map(&[("c", text(&value))])), ("d", list(vec![text(&value)]))];
        let mut logs = logs(&resource, vec![record(&body, &attributes)]);
        logs.resource_logs[0].scope_logs[0].scope.as_mut().unwrap().name = scope;
        let whole = sent(&run(&bounded(1 << 20, 1 << 20), &logs).pushes).remove(0).1;
        let translated = run(&bounded(1 << 20, limit), &logs);
        let (_, line) = sent(&translated.pushes).remove(0);
        prop_assert!(line.len() as u64 <= limit);
        prop_assert_eq!(translated.cut_lines == 1, whole.len() as u64 > limit);
        if translated.cut_lines == 0 {
            prop_assert_eq!(line, whole);
        } else {
            let kept = line.strip_suffix("…[truncated]").unwrap_or(&line);
            prop_assert!(whole.starts_with(kept));
            // As much is kept as may be, but for the rest of a character.
            prop_assert!(line.len() as u64 + 4 > limit);
        }
    }

    /// Every record is in one push or counted; pushes keep their bound and the order of a tenant.
    #[test]
    fn pushes_are_bounded_and_whole(
        records in proptest::collection::vec((0..3usize, 0..3i32, 0..60usize), 0..60),
        most in 1u64..2000,
    ) {
        let tenants = ["", "a", "b"];
        let records: Vec<LogRecord> = records
            .iter()
            .enumerate()
            .map(|(index, (tenant, severity, length))| LogRecord {
                time_unix_nano: index as u64 + 1,
                severity_number: *severity,
                ..record(&"x".repeat(*length), &[("loki.tenant", text("t")), ("t", text(tenants[*tenant]))])
            })
            .collect();
        let count = records.len();
        let translated = run(&bounded(most, 1 << 20), &logs(&[], records));
        let mut last = std::collections::BTreeMap::new();
        let mut found = 0;
        for push in &translated.pushes {
            prop_assert!(push.bytes.len() as u64 <= most || push.records == 1);
            for stream in PushRequest::decode(&push.bytes[..]).unwrap().streams {
                for entry in stream.entries {
                    let key = (push.tenant.clone(), stream.labels.clone());
                    prop_assert!(last.insert(key, entry.nanos()).is_none_or(|l| l < entry.nanos()));
                    found += 1;
                }
            }
        }
        prop_assert_eq!(found, count);
        prop_assert_eq!(translated.pushes.iter().map(|p| p.records).sum::<usize>(), count);
    }

    /// Halves have what the whole has, in its order, down to single records.
    #[test]
    fn halves_are_the_whole(severities in proptest::collection::vec(0..4i32, 1..30)) {
        let records = severities.iter().enumerate().map(|(index, severity_number)| LogRecord {
            severity_number: *severity_number,
            ..record(&index.to_string(), &[])
        });
        let push = run(&bounded(1 << 20, 1 << 20), &logs(&[], records.collect())).pushes.remove(0);
        match halve(&push) {
            None => prop_assert_eq!(push.records, 1),
            Some((a, b)) => {
                prop_assert!(a.records.abs_diff(b.records) <= 1);
                prop_assert_eq!(sent(&[a, b]), sent(&[push]));
            }
        }
    }
}

#[test]
fn halves_keep_the_tenant() {
    let attributes = [("loki.tenant", text("t")), ("t", text("team"))];
    let records = vec![record("x", &attributes), record("y", &attributes)];
    let push = run(&bounded(1 << 20, 1 << 20), &logs(&[], records)).pushes.remove(0);
    let (a, b) = halve(&push).unwrap();
    assert_eq!((a.tenant.as_deref(), b.tenant.as_deref()), (Some("team"), Some("team")));
    assert_eq!(halve(&a), None);
}

/// Tenants by the thousand do not all fill at the same time.
#[test]
fn few_pushes_are_open() {
    let tenant =
        |index: usize| record("x", &[("loki.tenant", text("t")), ("t", text(&index.to_string()))]);
    let request = logs(&[], (0..1000).map(tenant).collect()).encode_to_vec();
    let translator = bounded(1 << 20, 1 << 20);
    let mut pushes = translator.pushes([&request[..]], NOW);
    let mut most = 0;
    while pushes.next().is_some() {
        most = most.max(pushes.open.len() + pushes.ready.len());
    }
    assert!(most <= 64, "{most}");
}

/// A resource of 1 MB stands in each of 2000 lines, in text made once and only as far as a line
/// goes; its keys repeat one of 500 KB.
#[test]
fn what_repeats_costs_what_is_sent() {
    let leaves: Vec<(String, AnyValue)> =
        (0..20_000).map(|index| (index.to_string(), text("v"))).collect();
    let leaves: Vec<(&str, AnyValue)> =
        leaves.iter().map(|(key, value)| (&key[..], value.clone())).collect();
    let long = "k".repeat(500_000);
    for format in ["json", "logfmt"] {
        let resource = [(&long[..], map(&leaves)), ("loki.format", text(format))];
        let records = (0..2000).map(|index| record(&index.to_string(), &[])).collect();
        let request = logs(&resource, records).encode_to_vec();
        let translator = bounded(1 << 16, 1 << 10);
        let start = Instant::now();
        let mut pushes = translator.pushes([&request[..]], NOW);
        let sent: usize = pushes.by_ref().map(|push| push.records).sum();
        assert_eq!((sent, pushes.cut_lines), (2000, 2000));
        assert!(start.elapsed().as_secs() < 5, "{format}: {:?}", start.elapsed());
    }
}

/// A name of many parts, and names in great number, in maps that have none of them.
#[test]
fn looking_for_labels_ends() {
    let mut nested = map(&[("a", text("v"))]);
    for _ in 0..30 {
        nested = map(&[("a", nested), ("a.a", text("no map"))]);
    }
    let path = ["a"; 200].join(".");
    let many = vec!["a.a.a.b"; 50_000].join(",");
    let attributes = [
        ("a", nested),
        ("x", model::any(Value::BoolValue(true))),
        ("loki.attribute.labels", text(&format!("{path},{many},x"))),
    ];
    let start = Instant::now();
    let translated = run(&bounded(1 << 20, 1 << 20), &logs(&[], vec![record("", &attributes)]));
    assert_eq!(translated.pushes[0].records, 1);
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

#[test]
fn labels_are_bounded() {
    let names: Vec<String> = (0..100).map(|index| format!("n{index}")).collect();
    let mut attributes: Vec<(&str, AnyValue)> =
        names.iter().map(|name| (&name[..], text("v"))).collect();
    attributes.push(("loki.attribute.labels", text(&names.join(","))));
    attributes[0].1 = text(&"é".repeat(20_000));
    let pushes = run(&bounded(1 << 20, 1 << 20), &logs(&[], vec![record("", &attributes)])).pushes;
    let found = labels(&sent(&pushes)[0].0);
    assert_eq!(found.len(), 65, "64 and the exporter's");
    assert_eq!(found["n0"], "é".repeat(16_384));
}

#[test]
fn of_text_that_repeats_no_more_is_taken_than_fits() {
    let mut line = line::Line::new(20);
    line.push(&[b'a'; 1000]);
    assert_eq!(line.out().len(), 21);
    assert_eq!(line.finish(0), (&b"aaaaaa\xe2\x80\xa6[truncated]"[..], true));
}

#[test]
fn looks_are_counted() {
    let attributes = ["a", "b", "c"]
        .map(|key| value::Attribute { key: key.as_bytes(), value: value::Value::Int(1) });
    let mut looks = 9;
    assert_eq!(labels::find(&attributes, b"c", &mut looks), Some(value::Value::Int(1)));
    assert_eq!(labels::find(&attributes, b"d", &mut looks), None);
    assert_eq!(looks, 1);
    assert_eq!(labels::find(&attributes, b"c", &mut looks), None, "no looks are left");
}

/// Names of thousands of parts are not gone through by as many calls within one another.
#[test]
fn looking_for_labels_does_not_go_deep() {
    let path = ["a"; 20_000].join(".");
    let attributes = [("loki.attribute.labels", text(&path))];
    let request = logs(&[], vec![record("", &attributes)]);
    let small = std::thread::Builder::new().stack_size(1 << 20);
    let thread = small.spawn(move || run(&bounded(1 << 20, 1 << 20), &request)).unwrap();
    assert_eq!(thread.join().unwrap().pushes[0].records, 1);
}
