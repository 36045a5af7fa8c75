use obspipe_model::components::prometheus::{Prometheus, TranslationStrategy};
use opentelemetry_proto::tonic::metrics::v1::exemplar::Value as ExemplarValue;
use opentelemetry_proto::tonic::metrics::v1::{
    self as proto, HistogramDataPoint, Metric, NumberDataPoint,
};
use proptest::prelude::*;

use super::super::checker;
use super::super::format::negotiate;
use super::super::make::{
    SECOND, attributes, buckets, counter, encode, ended, gauge, histogram, page, page_as, point,
    request, resource, settings, store, write,
};
use super::*;

fn plain(settings: Prometheus) -> Prometheus {
    Prometheus { without_scope_info: true, ..settings }
}

fn exemplar(value: f64, time: u64, id: u8) -> proto::Exemplar {
    proto::Exemplar {
        time_unix_nano: time * SECOND + 5_000_000,
        trace_id: vec![id; 16],
        span_id: vec![id; 8],
        value: Some(ExemplarValue::AsDouble(value)),
        ..Default::default()
    }
}

fn escaped_page(store: &Store, format: Format) -> String {
    page_as(store, Negotiated::new(format, false), 1)
}

fn sizes(points: Vec<HistogramDataPoint>) -> Metric {
    Metric {
        description: "Sizes of \"things\"\\\nin bytes".to_owned(),
        unit: "By".to_owned(),
        ..histogram("sizes", 2, points)
    }
}

#[test]
fn a_page_in_both_formats() {
    let mut store = store(&plain(settings()));
    let hits = NumberDataPoint {
        exemplars: vec![exemplar(1.0, 3, 1), exemplar(2.0, 3, 2)],
        ..point(1, 2, 3.0)
    };
    let sized = HistogramDataPoint {
        exemplars: vec![exemplar(0.5, 3, 1), exemplar(0.75, 4, 2), exemplar(9.0, 3, 3)],
        ..buckets(1, 2, &[0.5, 1.0], &[1, 0, 2])
    };
    let metrics =
        vec![gauge("z", vec![point(0, 2, 1.0)]), sizes(vec![sized]), counter("hits", vec![hits])];
    write(&mut store, &request(metrics), 1);
    assert_eq!(
        page(&store, Format::Text, 1),
        r#"# TYPE hits_total counter
hits_total{job="app"} 3
# HELP sizes_bytes Sizes of "things"\\\nin bytes
# TYPE sizes_bytes histogram
sizes_bytes_bucket{job="app",le="0.5"} 1
sizes_bytes_bucket{job="app",le="1"} 1
sizes_bytes_bucket{job="app",le="+Inf"} 3
sizes_bytes_sum{job="app"} 3
sizes_bytes_count{job="app"} 3
# TYPE z gauge
z{job="app"} 1
"#
    );
    let id = |n: u8| {
        format!(
            "trace_id=\"{}\",span_id=\"{}\"",
            format!("{n:02x}").repeat(16),
            format!("{n:02x}").repeat(8)
        )
    };
    let expected = r##"# TYPE hits counter
hits_total{job="app"} 3.0 # {ID2} 2.0 3.005
hits_created{job="app"} 1.0
# HELP sizes_bytes Sizes of \"things\"\\\nin bytes
# TYPE sizes_bytes histogram
sizes_bytes_bucket{job="app",le="0.5"} 1 # {ID1} 0.5 3.005
sizes_bytes_bucket{job="app",le="1.0"} 1 # {ID2} 0.75 4.005
sizes_bytes_bucket{job="app",le="+Inf"} 3 # {ID3} 9.0 3.005
sizes_bytes_sum{job="app"} 3.0
sizes_bytes_count{job="app"} 3
sizes_bytes_created{job="app"} 1.0
# TYPE z gauge
z{job="app"} 1.0
# EOF
"##;
    let expected = expected.replace("ID1", &id(1)).replace("ID2", &id(2)).replace("ID3", &id(3));
    assert_eq!(page(&store, Format::OpenMetrics, 1), expected);
}

#[test]
fn exemplars_stay_until_there_are_others() {
    let mut store = store(&plain(settings()));
    let hits = |time, exemplars| {
        request(vec![counter("hits", vec![NumberDataPoint { exemplars, ..point(1, time, 3.0) }])])
    };
    write(&mut store, &hits(2, vec![exemplar(1.0, 3, 1)]), 1);
    write(&mut store, &hits(3, vec![]), 1);
    assert!(page(&store, Format::OpenMetrics, 1).contains("trace_id=\"0101"));
    write(&mut store, &hits(4, vec![exemplar(1.0, 4, 2)]), 1);
    let page = page(&store, Format::OpenMetrics, 1);
    assert!(page.contains("trace_id=\"0202") && !page.contains("0101"), "{page}");
    // They do not pile up.
    let held = store.bytes();
    for time in 5..50 {
        write(&mut store, &hits(time, vec![exemplar(1.0, time, 3)]), 1);
    }
    assert_eq!(store.bytes(), held);
}

#[test]
fn without_ids_there_is_no_exemplar() {
    let mut store = store(&plain(settings()));
    let mut odd = exemplar(1.0, 3, 0);
    let none = NumberDataPoint { exemplars: vec![odd.clone()], ..point(1, 2, 1.0) };
    odd.trace_id = vec![1; 5];
    odd.span_id = vec![1; 8];
    let span = NumberDataPoint { exemplars: vec![odd], ..point(1, 2, 1.0) };
    write(&mut store, &request(vec![counter("a", vec![none]), counter("b", vec![span])]), 1);
    let page = page(&store, Format::OpenMetrics, 1);
    assert!(page.contains("a_total{job=\"app\"} 1.0\n"), "{page}");
    assert!(
        page.contains("b_total{job=\"app\"} 1.0 # {span_id=\"0101010101010101\"} 1.0 3.005\n"),
        "{page}"
    );
}

#[test]
fn targets_are_told_once_per_job_and_instance() {
    let mut store = store(&settings());
    let target = |pairs: &[(&str, &str)], time| {
        let all = [&[("service.name", "app"), ("service.instance.id", "i")], pairs].concat();
        encode(vec![resource(&all, vec![counter("hits", vec![point(time, time + 1, 1.0)])])])
    };
    write(&mut store, &target(&[("v", "2")], 1), 1);
    write(&mut store, &target(&[("v", "1")], 2), 2);
    let shown = page(&store, Format::Text, 2);
    let expected = "# HELP target_info Target metadata\n# TYPE target_info gauge\n\
        target_info{instance=\"i\",job=\"app\",v=\"1\"} 1\n";
    assert!(shown.ends_with(expected), "{shown}");
    // It ends with the last series of the resource.
    let late = 300 * SECOND + 3;
    store.expire(0, late);
    assert!(page(&store, Format::Text, late).is_empty());
}

#[test]
fn times_are_sent_if_wanted() {
    let mut store = store(&plain(Prometheus { send_timestamps: true, ..settings() }));
    let mut sized = sizes(vec![buckets(1, 2, &[1.0], &[1, 1])]);
    sized.description.clear();
    write(&mut store, &request(vec![sized]), 1);
    assert!(page(&store, Format::Text, 1).contains("sizes_bytes_count{job=\"app\"} 2 2000\n"));
    assert!(
        page(&store, Format::OpenMetrics, 1).contains("sizes_bytes_count{job=\"app\"} 2 2.0\n")
    );
}

#[test]
fn names_that_open_metrics_would_take_twice_are_no_counters() {
    let mut store = store(&plain(settings()));
    let metrics = vec![
        gauge("a", vec![point(1, 2, 1.0)]),
        counter("a", vec![point(1, 2, 2.0)]),
        gauge("b_created", vec![point(1, 2, 3.0)]),
        counter("b", vec![point(1, 2, 4.0)]),
    ];
    write(&mut store, &request(metrics), 1);
    assert_eq!(
        page(&store, Format::OpenMetrics, 1),
        r#"# TYPE a gauge
a{job="app"} 1.0
# TYPE a_total unknown
a_total{job="app"} 2.0
# TYPE b_created gauge
b_created{job="app"} 3.0
# TYPE b counter
b_total{job="app"} 4.0
# EOF
"#
    );
    page(&store, Format::Text, 1);
}

#[test]
fn names_of_any_characters_are_quoted_or_escaped() {
    let strategy = Some(TranslationStrategy::NoTranslation);
    let mut store = store(&plain(Prometheus { translation_strategy: strategy, ..settings() }));
    let by = |key, value| NumberDataPoint {
        attributes: attributes(&[(key, "1")]),
        ..point(1, 2, value)
    };
    let metrics = vec![
        gauge("a.b", vec![by("k.x", 1.0), by("k_x", 2.0)]),
        gauge("a_b", vec![point(1, 2, 3.0)]),
        histogram("é\"", 2, vec![buckets(1, 2, &[], &[4])]),
    ];
    write(&mut store, &request(metrics), 1);
    assert_eq!(
        page(&store, Format::Text, 1),
        r##"# TYPE "a.b" gauge
{"a.b",job="app","k.x"="1"} 1
{"a.b",job="app",k_x="1"} 2
# TYPE a_b gauge
a_b{job="app"} 3
# TYPE "é\"" histogram
{"é\"_bucket",job="app",le="+Inf"} 4
{"é\"_sum",job="app"} 4
{"é\"_count",job="app"} 4
"##
    );
    // What is the same once escaped is told once.
    assert_eq!(
        escaped_page(&store, Format::Text),
        r#"# TYPE __ histogram
___bucket{job="app",le="+Inf"} 4
___sum{job="app"} 4
___count{job="app"} 4
# TYPE a_b gauge
a_b{job="app",k_x="1"} 1
"#
    );
}

#[test]
fn counts_that_do_not_add_up_still_ascend() {
    let mut store = store(&plain(settings()));
    let odd = HistogramDataPoint { count: 1, ..buckets(1, 2, &[1.0], &[5, 5]) };
    write(&mut store, &request(vec![sizes(vec![odd])]), 1);
    assert!(page(&store, Format::Text, 1).contains("sizes_bytes_count{job=\"app\"} 5\n"));
}

#[test]
fn a_large_page_comes_in_pieces_and_always_the_same() {
    let many = |reverse: bool| {
        let mut points: Vec<NumberDataPoint> = (0..3000)
            .map(|n| NumberDataPoint {
                attributes: attributes(&[("n", &n.to_string())]),
                ..point(1, 2, 1.0)
            })
            .collect();
        if reverse {
            points.reverse();
        }
        request(vec![gauge("g", points)])
    };
    let mut pages = Vec::new();
    for reverse in [false, true] {
        let mut store = store(&settings());
        write(&mut store, &many(reverse), 1);
        let mut page = Page::new(&store, negotiate(None, None), 1);
        let parts: Vec<Vec<u8>> = std::iter::from_fn(|| page.part(&store)).collect();
        // Memory for them is little more than they are.
        assert!(parts.len() > 3 && parts.iter().all(|part| part.capacity() == PART));
        assert!(parts.iter().rev().skip(1).all(|part| part.len() >= PART - LAST));
        pages.push(parts.concat());
    }
    assert_eq!(pages[0], pages[1]);
    checker::check(std::str::from_utf8(&pages[0]).unwrap(), Format::Text);
}

proptest! {
    /// What begins and ends while a page is made does not break it, and what stays is on it.
    #[test]
    fn a_page_of_a_store_that_changes_is_sound(
        escape in any::<bool>(),
        open in any::<bool>(),
        changes in prop::collection::vec((0..60usize, 0..3u8, 0..4u8, 0..6u8), 0..20),
    ) {
        let strategy = Some(TranslationStrategy::NoTranslation);
        let mut store =
            store(&plain(Prometheus { translation_strategy: strategy, ..settings() }));
        let by = |number: u8| NumberDataPoint {
            attributes: attributes(&[("k.x", &number.to_string())]),
            ..point(1, 2, 1.0)
        };
        let metric = |name: u8, kind: u8, point| match (["a.b", "a_b", "c"][usize::from(name)], kind) {
            (name, 0) => counter(name, vec![point]),
            (name, _) => gauge(name, vec![point]),
        };
        let all = (0..3).flat_map(|name| (0..4).map(move |number| (name, number)));
        let all: Vec<Metric> = all.map(|(name, number)| metric(name, 1, by(number))).collect();
        write(&mut store, &request([all, vec![gauge("stays", vec![by(1)])]].concat()), 1);
        let format = if open { Format::OpenMetrics } else { Format::Text };
        let mut page = Page::new(&store, Negotiated::new(format, !escape), 1);
        let mut steps = 0;
        while !page.ended {
            for (_, name, number, kind) in changes.iter().filter(|change| change.0 == steps) {
                let point = by(*number);
                let point = if *kind > 2 { ended(point) } else { point };
                store.write(&request(vec![metric(*name, kind % 2, point)]), 1);
            }
            page.step(&store);
            steps += 1;
        }
        let text = String::from_utf8(page.part(&store).unwrap()).unwrap();
        checker::check(&text, format);
        prop_assert!(text.contains("stays{"), "{}", text);
    }
}
