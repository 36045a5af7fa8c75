use opentelemetry_proto::tonic::common::v1::any_value;
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint, metric::Data};
use proptest::prelude::*;

use super::super::format::Format;
use super::super::make::{
    SECOND, attribute, attributes, buckets, counter, delta, encode, ended, gauge, histogram, lines,
    metric, page, point, request, resource, settings, store, sum, write,
};
use super::*;

const POD: &[(&str, &str)] = &[("service.name", "app")];
const OTHER: &[(&str, &str)] = &[("service.name", "app"), ("host.name", "b")];

fn dropped(reason: Reason, count: u64) -> BTreeMap<&'static str, u64> {
    BTreeMap::from([(reason.name(), count)])
}

fn from(pairs: &[(&str, &str)], metrics: Vec<Metric>) -> Vec<u8> {
    encode(vec![resource(pairs, metrics)])
}

fn hits(start: u64, time: u64, value: f64) -> Vec<Metric> {
    vec![counter("hits", vec![point(start, time, value)])]
}

fn total(store: &Store, now: u64) -> Vec<String> {
    lines(store, now).iter().map(|line| line.replace("hits_total{job=\"app\"} ", "")).collect()
}

#[test]
fn two_writers_of_one_identity_give_the_true_total() {
    let mut store = store(&settings());
    // Two workers that no resource attribute tells apart: only their starts do.
    write(&mut store, &from(POD, hits(10, 20, 100.0)), 1);
    write(&mut store, &from(POD, hits(11, 21, 7.0)), 1);
    assert_eq!(total(&store, 1), ["107"]);
    assert_eq!((store.series(), store.shared_identities()), (1, 0));
    write(&mut store, &from(POD, hits(10, 30, 110.0)), 2);
    write(&mut store, &from(POD, hits(11, 31, 8.0)), 2);
    assert_eq!(total(&store, 2), ["118"]);
    // They take turns.
    assert_eq!(store.shared_identities(), 1);
    // Writers of two resources with the same job.
    write(&mut store, &from(OTHER, hits(10, 30, 1000.0)), 2);
    assert_eq!(total(&store, 2), ["1118"]);
}

#[test]
fn one_start_and_one_resource_are_one_writer_whatever_the_order_of_attributes() {
    let mut store = store(&settings());
    let with = |pairs: &[(&str, &str)], value| {
        let attributes = attributes(pairs);
        vec![counter("hits", vec![NumberDataPoint { attributes, ..point(1, 2, value) }])]
    };
    let pair = [("host.name", "b"), ("service.name", "app")];
    write(&mut store, &from(OTHER, with(&[("a", "1"), ("b", "2")], 5.0)), 1);
    write(&mut store, &from(&pair, with(&[("b", "2"), ("a", "1")], 6.0)), 1);
    assert_eq!(lines(&store, 1), ["hits_total{a=\"1\",b=\"2\",job=\"app\"} 6"]);
    assert_eq!((store.writers.len(), store.index.len()), (1, 2));
}

#[test]
fn a_restarted_writer_goes_on_from_its_total() {
    let mut store = store(&settings());
    write(&mut store, &from(POD, hits(10, 20, 100.0)), SECOND);
    write(&mut store, &from(POD, hits(50, 60, 3.0)), 41 * SECOND);
    assert_eq!(total(&store, 41 * SECOND), ["103"]);
    // No turns taken: the old one is silent.
    write(&mut store, &from(POD, hits(50, 70, 4.0)), 42 * SECOND);
    assert_eq!(store.shared_identities(), 0);
    // The old one expires; its total stays as long as the series.
    let late = 41 * SECOND + 300 * SECOND;
    store.expire(0, late);
    assert_eq!(total(&store, late), ["104"]);
    let page = page(&store, Format::OpenMetrics, late);
    assert!(page.contains("hits_created{job=\"app\",") && page.contains("} 10.0\n"), "{page}");
    // Silent for long, as behind a broken network, it comes back: nothing counts twice.
    write(&mut store, &from(POD, hits(10, 400, 105.0)), late);
    assert_eq!(total(&store, late), ["109"]);
    store.expire(0, late + 301 * SECOND);
    assert!(lines(&store, late + 301 * SECOND).is_empty());
    assert_eq!((store.bytes(), store.writers.len(), store.index.len()), (0, 0, 0));
}

#[test]
fn many_ended_writers_are_kept_as_one_total() {
    let mut store = store(&settings());
    for n in 0..40 {
        write(&mut store, &from(POD, hits(100 + n, 1000 + n, 1.0)), n * 100 * SECOND);
        store.expire(0, n * 100 * SECOND);
        assert_eq!(total(&store, n * 100 * SECOND), [(n + 1).to_string()]);
    }
    // Four live and eight ended.
    assert_eq!(store.writers.len(), 12);
    let histogram = |n: u64, bounds: &[f64]| {
        let point = buckets(n, 1000 + n, bounds, &[1, 2]);
        from(OTHER, vec![histogram("sizes", 2, vec![point])])
    };
    for n in 0..20 {
        write(&mut store, &histogram(1 + n, &[0.5]), (4000 + n * 200) * SECOND);
        store.expire(0, (4000 + n * 200) * SECOND);
    }
    assert!(lines(&store, 7800 * SECOND).contains(&"sizes_count{job=\"app\"} 60".to_owned()));
    // A new version has other buckets: what came before cannot be added to them.
    write(&mut store, &histogram(50, &[0.25]), 8000 * SECOND);
    let shown = lines(&store, 8000 * SECOND);
    assert!(shown.contains(&"sizes_bucket{job=\"app\",le=\"0.25\"} 1".to_owned()), "{shown:?}");
    assert!(shown.contains(&"sizes_count{job=\"app\"} 3".to_owned()), "{shown:?}");
    // Nor do those of the new version count less for having ended.
    for n in 0..20 {
        write(&mut store, &histogram(51 + n, &[0.25]), (8200 + n * 200) * SECOND);
        store.expire(0, (8200 + n * 200) * SECOND);
    }
    assert!(lines(&store, 12_000 * SECOND).contains(&"sizes_count{job=\"app\"} 63".to_owned()));
}

#[test]
fn gauges_show_the_last_write_and_up_down_sums_the_sum_of_the_live() {
    let mut store = store(&settings());
    let both = |pairs, start, time, value| {
        let gauge = gauge("temperature", vec![point(start, time, value)]);
        from(pairs, vec![gauge, sum("open", 2, false, vec![point(start, time, value)])])
    };
    write(&mut store, &both(POD, 1, 10, 5.0), SECOND);
    write(&mut store, &both(OTHER, 1, 11, 2.0), 2 * SECOND);
    let expected = ["open{job=\"app\"} 7", "temperature{job=\"app\"} 2"];
    assert_eq!(lines(&store, 2 * SECOND), expected);
    assert_eq!(
        store.write(&both(POD, 1, 9, 9.0), 2 * SECOND).dropped,
        dropped(Reason::OlderTimestamp, 2)
    );
    // Of two writers, the later time counts, not the later arrival.
    let third = &[("service.name", "app"), ("host.name", "c")];
    let older = from(third, vec![gauge("temperature", vec![point(1, 10, 8.0)])]);
    write(&mut store, &older, 3 * SECOND);
    assert_eq!(lines(&store, 3 * SECOND), expected);
    // What ended up and down does not count any more.
    let late = 302 * SECOND;
    assert_eq!(lines(&store, late)[0], "open{job=\"app\"} 2");
    store.expire(0, late);
    assert_eq!(lines(&store, late)[0], "open{job=\"app\"} 2");
    assert_eq!(store.writers.len(), 3);
}

#[test]
fn deltas_accumulate() {
    let mut store = store(&settings());
    let hits = |points: Vec<NumberDataPoint>| from(POD, vec![delta("hits", points)]);
    write(&mut store, &hits(vec![point(10, 20, 1.0), point(20, 30, 2.0)]), 1);
    assert_eq!(total(&store, 1), ["3"]);
    // What was counted is not counted again.
    let again = store.write(&hits(vec![point(20, 30, 2.0), point(25, 40, 5.0)]), 1);
    assert_eq!(again, Written { accepted: 0, dropped: dropped(Reason::Overlap, 2) });
    // After a gap it begins anew.
    write(&mut store, &hits(vec![point(35, 40, 4.0)]), 1);
    assert_eq!(total(&store, 1), ["4"]);
    assert!(page(&store, Format::OpenMetrics, 1).contains("} 35.0\n"));
    // But not where another writer's total is in the sum.
    let other = from(OTHER, vec![delta("hits", vec![point(1, 2, 100.0)])]);
    write(&mut store, &other, 1);
    write(&mut store, &hits(vec![point(50, 60, 1.0)]), 1);
    assert_eq!(total(&store, 1), ["105"]);
    let up_down = from(POD, vec![sum("open", 1, false, vec![point(1, 2, 1.0)])]);
    assert_eq!(store.write(&up_down, 1).dropped, dropped(Reason::NonMonotonicDelta, 1));
    let unset = from(POD, vec![sum("open", 0, true, vec![point(1, 2, 1.0), point(2, 3, 1.0)])]);
    assert_eq!(store.write(&unset, 1).dropped, dropped(Reason::Temporality, 2));
}

#[test]
fn delta_histograms_accumulate_until_their_bounds_change() {
    let mut store = store(&settings());
    let sizes = |points| from(POD, vec![histogram("sizes", 1, points)]);
    let first = vec![buckets(1, 2, &[1.0], &[1, 2]), buckets(2, 3, &[1.0], &[10, 20])];
    write(&mut store, &sizes(first), 1);
    assert!(lines(&store, 1).contains(&"sizes_bucket{job=\"app\",le=\"1\"} 11".to_owned()));
    write(&mut store, &sizes(vec![buckets(3, 4, &[2.0], &[5, 5])]), 1);
    let shown = lines(&store, 1);
    assert!(shown.contains(&"sizes_bucket{job=\"app\",le=\"2\"} 5".to_owned()), "{shown:?}");
    assert!(shown.contains(&"sizes_count{job=\"app\"} 10".to_owned()), "{shown:?}");
}

#[test]
fn no_recorded_value_removes_a_series() {
    let mut store = store(&settings());
    write(&mut store, &from(POD, hits(10, 20, 100.0)), 1);
    let gone = |start| from(POD, vec![counter("hits", vec![ended(point(start, 30, 0.0))])]);
    write(&mut store, &gone(10), 1);
    assert!(lines(&store, 1).is_empty());
    assert_eq!((store.bytes(), store.series()), (0, 0));
    // Of two writers, the one: what it counted stays in the sum.
    write(&mut store, &from(POD, hits(10, 20, 100.0)), 1);
    write(&mut store, &from(POD, hits(11, 20, 5.0)), 1);
    write(&mut store, &gone(11), 1);
    assert_eq!((total(&store, 1), store.writers.len()), (vec!["105".to_owned()], 1));
    // Without a start, all that the resource has.
    write(&mut store, &from(OTHER, hits(11, 20, 1.0)), 1);
    write(&mut store, &gone(0), 1);
    assert_eq!((total(&store, 1), store.writers.len()), (vec!["106".to_owned()], 1));
    // What nobody knows.
    write(&mut store, &from(POD, vec![counter("other", vec![ended(point(1, 2, 0.0))])]), 1);
}

#[test]
fn series_expire() {
    let mut settings = settings();
    settings.metric_expiration = std::time::Duration::from_secs(10);
    let mut store = store(&settings);
    write(&mut store, &from(POD, hits(10, 20, 1.0)), SECOND);
    assert_eq!(lines(&store, 11 * SECOND).len(), 1);
    assert!(page(&store, Format::Text, 11 * SECOND + 1).is_empty());
    store.expire(0, 11 * SECOND);
    assert_eq!(store.series(), 1);
    store.expire(0, 11 * SECOND + 1);
    assert_eq!((store.series(), store.bytes()), (0, 0));
}

#[test]
fn more_series_than_the_limit_are_refused() {
    let mut settings = settings();
    settings.series_limit = 2;
    let mut store = store(&settings);
    let many = |from: i64, to: i64| {
        let points = (from..to).map(|n| NumberDataPoint {
            attributes: vec![attribute("n", any_value::Value::IntValue(n))],
            ..point(1, 2, 1.0)
        });
        request(vec![gauge("g", points.collect())])
    };
    let written = store.write(&many(0, 5), 1);
    assert_eq!(written, Written { accepted: 2, dropped: dropped(Reason::SeriesLimit, 3) });
    // Those that are there go on.
    assert_eq!(store.write(&many(0, 2), 1).accepted, 2);
    // Writers are limited, too.
    let mut store = super::super::make::store(&settings);
    let refused = (0..20).map(|n| store.write(&from(POD, hits(n + 1, n + 2, 1.0)), 1).accepted);
    assert_eq!(refused.sum::<u64>(), 2 * WRITERS_PER_SERIES);
}

#[test]
fn the_first_type_of_a_name_stays() {
    let mut store = store(&settings());
    write(&mut store, &request(vec![gauge("a.b", vec![point(1, 2, 1.0)])]), 1);
    let other = histogram("a_b", 2, vec![buckets(1, 2, &[1.0], &[1, 1])]);
    assert_eq!(store.write(&request(vec![other]), 1).dropped, dropped(Reason::TypeConflict, 1));
    // The same series under another name, or by other attributes.
    let other = gauge("a_b", vec![point(1, 2, 2.0)]);
    assert_eq!(store.write(&request(vec![other]), 1).dropped, dropped(Reason::NameClash, 1));
    let by = |key| NumberDataPoint { attributes: attributes(&[(key, "1")]), ..point(1, 2, 3.0) };
    let other = vec![gauge("a.b", vec![by("k.x"), by("k_x")])];
    assert_eq!(store.write(&request(other), 1).dropped, dropped(Reason::NameClash, 1));
    assert_eq!(lines(&store, 1), ["a_b{job=\"app\",k_x=\"1\"} 3", "a_b{job=\"app\"} 1"]);
}

#[test]
fn no_name_is_a_line_of_another_metric() {
    let mut store = store(&settings());
    let sizes = || histogram("sizes", 2, vec![buckets(1, 2, &[1.0], &[1, 1])]);
    let named = |name: &str| gauge(name, vec![point(1, 2, 1.0)]);
    write(&mut store, &request(vec![sizes()]), 1);
    for name in ["sizes.count", "sizes.sum", "sizes.bucket", "target.info"] {
        let written = store.write(&request(vec![named(name)]), 1);
        assert_eq!(written.dropped, dropped(Reason::NameClash, 1), "{name}");
    }
    let mut store = super::super::make::store(&settings());
    write(&mut store, &request(vec![named("sizes.count")]), 1);
    assert_eq!(store.write(&request(vec![sizes()]), 1).dropped, dropped(Reason::NameClash, 1));
    page(&store, Format::Text, 1);
}

#[test]
fn names_of_which_nothing_is_left_are_refused() {
    let mut store = store(&settings());
    let nameless = gauge("é", vec![point(1, 2, 1.0)]);
    assert_eq!(store.write(&request(vec![nameless]), 1).dropped, dropped(Reason::MetricName, 1));
    let attributes = attributes(&[("__name__", "x")]);
    let labelled = gauge("g", vec![NumberDataPoint { attributes, ..point(1, 2, 1.0) }]);
    assert_eq!(store.write(&request(vec![labelled]), 1).dropped, dropped(Reason::LabelName, 1));
    assert_eq!(store.bytes(), 0);
    let empty = Metric { data: None, ..metric("x", Data::Gauge(Default::default())) };
    assert_eq!(store.write(&request(vec![empty]), 1), Written::default());
}

#[test]
fn histograms_that_cannot_be_shown_are_refused() {
    let mut store = store(&settings());
    for (bounds, counts) in [
        (&[2.0, 1.0][..], &[1, 1, 1][..]),
        (&[1.0, 1.0], &[1, 1, 1]),
        (&[f64::NAN], &[1, 1]),
        (&[1.0], &[1]),
        (&[1.0], &[1, 2, 3, 4]),
    ] {
        let sizes = histogram("sizes", 2, vec![buckets(1, 2, bounds, counts)]);
        let written = store.write(&request(vec![sizes]), 1);
        assert_eq!(written.dropped, dropped(Reason::Malformed, 1), "{bounds:?} {counts:?}");
    }
    assert_eq!(store.bytes(), 0);
}

#[test]
fn scopes_tell_series_apart_unless_they_are_left_out() {
    let scoped = |name: &str, value| {
        let mut resource = resource(POD, hits(1, 2, value));
        resource.scope_metrics[0].scope.as_mut().unwrap().name = name.to_owned();
        resource
    };
    let both = encode(vec![scoped("a", 1.0), scoped("b", 2.0)]);
    let mut with = store(&settings());
    write(&mut with, &both, 1);
    assert_eq!(with.series(), 2);
    let mut without = store(&Prometheus { without_scope_info: true, ..settings() });
    write(&mut without, &both, 1);
    assert_eq!(page(&without, Format::Text, 1).lines().last(), Some("hits_total{job=\"app\"} 3"));
}

/// The estimate of held memory, anew.
fn weighed(store: &Store) -> usize {
    store.series.numbered().map(|(_, series)| series.weight()).sum::<usize>()
        + store.writers.numbered().map(|(_, writer)| writer.weight()).sum::<usize>()
        + store.resources.numbered().map(|(_, resource)| resource.weight()).sum::<usize>()
        + store.families.iter().map(|(name, family)| family.weight(name)).sum::<usize>()
}

#[derive(Clone, Debug)]
enum Step {
    Write { name: u8, pod: u8, start: u64, value: u8, kind: u8, ended: bool },
    Wait(u64),
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3u8, 0..3u8, 1..4u64, 0..9u8, 0..6u8, prop::bool::weighted(0.1)).prop_map(
            |(name, pod, start, value, kind, ended)| Step::Write { name, pod, start, value, kind, ended }
        ),
        2 => (0..200u64).prop_map(Step::Wait),
        1 => Just(Step::Expire),
    ]
}

fn made(name: u8, start: u64, time: u64, value: u8, kind: u8, gone: bool) -> Metric {
    let name = format!("m{name}");
    let mut number = point(start, time, f64::from(value));
    number.flags = u32::from(gone);
    let mut sizes = buckets(start, time, &[f64::from(value % 2), 5.0], &[1, u64::from(value), 0]);
    sizes.flags = u32::from(gone);
    match kind {
        0 => gauge(&name, vec![number]),
        1 => counter(&name, vec![number]),
        2 => delta(&name, vec![number]),
        3 => sum(&name, 2, false, vec![number]),
        4 => histogram(&name, 2, vec![sizes]),
        _ => histogram(&name, 1, vec![sizes]),
    }
}

proptest! {
    #[test]
    fn whatever_comes_the_page_is_sound_and_the_memory_known(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let mut settings = settings();
        settings.series_limit = 4;
        let mut store = store(&settings);
        let mut now = 0;
        for step in steps {
            match step {
                Step::Write { name, pod, start, value, kind, ended } => {
                    let pods = [POD, OTHER, &[]];
                    let metric = made(name, start, 10 + now / SECOND, value, kind, ended);
                    let written = store.write(&from(pods[usize::from(pod)], vec![metric]), now);
                    prop_assert_eq!(written.accepted + written.dropped.values().sum::<u64>(), 1);
                }
                Step::Wait(seconds) => now += seconds * SECOND,
                Step::Expire => {
                    store.expire(0, now);
                }
            }
            prop_assert_eq!(store.bytes(), weighed(&store));
            prop_assert!(store.series() <= 4);
            prop_assert_eq!(store.shared, store.series.numbered().filter(|(_, s)| s.shared).count());
            let aliases: usize = store.writers.numbered().map(|(_, writer)| writer.aliases.len()).sum();
            prop_assert_eq!(store.index.len(), aliases);
            page(&store, Format::Text, now);
            page(&store, Format::OpenMetrics, now);
        }
        store.expire(0, now + 301 * SECOND);
        prop_assert_eq!(store.bytes(), 0);
    }

    #[test]
    fn the_total_of_cumulative_writers_is_the_sum_of_their_last_values(
        writes in prop::collection::vec((1..6u64, 0..1000u32), 1..50),
    ) {
        let mut store = store(&settings());
        let mut last = BTreeMap::new();
        for (time, (writer, more)) in (10u64..).zip(writes) {
            let value = last.entry(writer).or_insert(0u64);
            *value += u64::from(more);
            write(&mut store, &from(POD, hits(writer, time, *value as f64)), time);
        }
        let sum = last.values().sum::<u64>() as f64;
        prop_assert_eq!(total(&store, 100)[0].parse::<f64>().unwrap(), sum);
    }

    #[test]
    fn nothing_that_arrives_breaks_it(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut store = store(&settings());
        store.write(&bytes, 1);
        page(&store, Format::OpenMetrics, 1);
    }
}
