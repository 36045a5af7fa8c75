//! What `include` and `exclude` mean.

use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
};
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;

use super::*;
use obspipe_model::components::attributes::{
    KeyValue as Wanted, Library, Match, MatchType, SeverityNumber,
};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;

fn matching(match_type: MatchType) -> Match {
    Match { match_type: Some(match_type), ..Match::default() }
}

fn strict() -> Match {
    matching(MatchType::Strict)
}

fn regexp() -> Match {
    matching(MatchType::Regexp)
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn wanted(pairs: &[(&str, Option<Setting>)]) -> Vec<Wanted> {
    let wanted = |(key, value): &(&str, Option<Setting>)| Wanted {
        key: (*key).to_owned(),
        value: value.clone(),
    };
    pairs.iter().map(wanted).collect()
}

fn string(text: &str) -> Option<Setting> {
    Some(Setting::String(text.to_owned()))
}

fn with(include: Option<Match>, exclude: Option<Match>) -> Result<Editor, EditorError> {
    let actions = vec![put(ActionKind::Insert, "edited", "yes")];
    Editor::attributes(&Attributes { actions, include, exclude })
}

/// Whether something is edited, included and excluded: the one must be what the other is not.
fn means(signal: Signal, matching: &Match, request: &[u8]) -> bool {
    let is = |include, exclude| {
        with(include, exclude).unwrap().apply(signal, request, &Silent).is_some()
    };
    let included = is(Some(matching.clone()), None);
    assert_eq!(included, !is(None, Some(matching.clone())), "{matching:?}");
    assert!(!is(Some(matching.clone()), Some(matching.clone())), "{matching:?}");
    included
}

fn resource(pairs: &[(&str, Option<Value>)]) -> Option<OtlpResource> {
    Some(OtlpResource { attributes: attributes(pairs), ..OtlpResource::default() })
}

#[test]
fn spans_by_what_they_are() {
    let span = Span {
        name: "GET /users".to_owned(),
        kind: 2,
        attributes: attributes(&[
            ("a", text("x")),
            ("a", text("y")),
            ("n", Some(Value::IntValue(7))),
        ]),
        ..Span::default()
    };
    let mut request = one_span(span);
    request.resource_spans[0].resource =
        resource(&[("service.name", text("shop")), ("zone", text("eu"))]);
    let request = request.encode_to_vec();
    let cases = [
        (Match { services: strings(&["x", "shop"]), ..strict() }, true),
        (Match { services: strings(&["sho"]), ..strict() }, false),
        (Match { services: strings(&["sho"]), ..regexp() }, true),
        (Match { services: strings(&["^ho"]), ..regexp() }, false),
        (Match { span_names: strings(&["GET /users"]), ..strict() }, true),
        (Match { span_names: strings(&["GET"]), ..strict() }, false),
        (Match { span_names: strings(&[r"^GET /\w+$"]), ..regexp() }, true),
        (Match { span_kinds: strings(&["SPAN_KIND_SERVER"]), ..strict() }, true),
        (Match { span_kinds: strings(&["SPAN_KIND_CLIENT"]), ..strict() }, false),
        (Match { span_kinds: strings(&["CLIENT|SERVER"]), ..regexp() }, true),
        (Match { attributes: wanted(&[("a", None)]), ..strict() }, true),
        (Match { attributes: wanted(&[("b", None)]), ..strict() }, false),
        (Match { attributes: wanted(&[("a", string("x"))]), ..strict() }, true),
        // Of a key that stands twice, the first.
        (Match { attributes: wanted(&[("a", string("y"))]), ..strict() }, false),
        (Match { attributes: wanted(&[("a", None), ("n", string("7"))]), ..strict() }, false),
        (
            Match { attributes: wanted(&[("a", None), ("n", Some(Setting::Int(7)))]), ..strict() },
            true,
        ),
        (Match { attributes: wanted(&[("n", string("^7$"))]), ..regexp() }, true),
        (Match { resources: wanted(&[("zone", string("eu"))]), ..strict() }, true),
        (Match { resources: wanted(&[("zone", string("e.$"))]), ..regexp() }, true),
        (Match { resources: wanted(&[("a", None)]), ..strict() }, false),
        // All that is given must match.
        (
            Match {
                services: strings(&["shop"]),
                span_names: strings(&["GET /users"]),
                attributes: wanted(&[("a", None)]),
                resources: wanted(&[("zone", None)]),
                ..strict()
            },
            true,
        ),
        (Match { services: strings(&["shop"]), span_names: strings(&["x"]), ..strict() }, false),
        (
            Match { services: strings(&["x"]), span_names: strings(&["GET /users"]), ..strict() },
            false,
        ),
    ];
    for (matching, expected) in cases {
        assert_eq!(means(Signal::Traces, &matching, &request), expected, "{matching:?}");
    }
}

#[test]
fn a_service_without_a_name_has_this_one() {
    let request = one_span(Span::default()).encode_to_vec();
    let services = |name: &str| Match { services: strings(&[name]), ..strict() };
    assert!(means(Signal::Traces, &services("<nil-service-name>"), &request));
    assert!(!means(Signal::Traces, &services(""), &request));
}

#[test]
fn exclude_takes_from_what_include_gives() {
    let span = |name: &str| Span { name: name.to_owned(), ..Span::default() };
    let mut request = one_span(span("a"));
    request.resource_spans[0].scope_spans[0].spans.extend([span("ab"), span("b")]);
    let names = |names| Some(Match { span_names: strings(names), ..regexp() });
    let editor = with(names(&["a"]), names(&["b"])).unwrap();
    let edited = editor.apply(Signal::Traces, &request.encode_to_vec(), &Silent).unwrap();
    let edited = ExportTraceServiceRequest::decode(&edited[..]).unwrap();
    request.resource_spans[0].scope_spans[0].spans[0].attributes =
        attributes(&[("edited", text("yes"))]);
    assert_eq!(edited, request);
}

#[test]
fn log_records_by_what_they_are() {
    let with_body = |body: Option<Value>| {
        let record = LogRecord {
            body: body.map(|value| AnyValue { value: Some(value) }),
            severity_text: "WARN".to_owned(),
            attributes: attributes(&[("a", None)]),
            ..LogRecord::default()
        };
        let scope_logs = vec![ScopeLogs { log_records: vec![record], ..ScopeLogs::default() }];
        let resource = resource(&[("zone", text("eu"))]);
        let resource_logs = vec![ResourceLogs { resource, scope_logs, ..ResourceLogs::default() }];
        ExportLogsServiceRequest { resource_logs }.encode_to_vec()
    };
    let bodies = |bodies| Match { log_bodies: strings(bodies), ..regexp() };
    let severities = |texts| Match { log_severity_texts: strings(texts), ..strict() };
    let body = with_body(text("disk full"));
    let cases = [
        (bodies(&["x", "full$"]), &body, true),
        (bodies(&["^full"]), &body, false),
        (bodies(&["^$"]), &with_body(None), true),
        (bodies(&["^12$"]), &with_body(Some(Value::IntValue(12))), true),
        (bodies(&[r#"^\{"k":1\}$"#]), &with_body(map(&[("k", Some(Value::IntValue(1)))])), true),
        (severities(&["WARN"]), &body, true),
        (severities(&["WAR"]), &body, false),
        (Match { attributes: wanted(&[("a", None)]), ..strict() }, &body, true),
        (Match { attributes: wanted(&[("a", string(".*"))]), ..regexp() }, &body, false),
        (Match { resources: wanted(&[("zone", None)]), ..strict() }, &body, true),
        (Match { resources: wanted(&[("z", None)]), ..strict() }, &body, false),
    ];
    for (matching, request, expected) in cases {
        assert_eq!(means(Signal::Logs, &matching, request), expected, "{matching:?}");
    }
}

#[test]
fn log_records_by_the_number_of_their_severity() {
    let request = |severity_number| {
        let record = LogRecord { severity_number, ..LogRecord::default() };
        let scope_logs = vec![ScopeLogs { log_records: vec![record], ..ScopeLogs::default() }];
        let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
        ExportLogsServiceRequest { resource_logs }.encode_to_vec()
    };
    for (min, match_undefined, number, expected) in [
        (9, false, 9, true),
        (9, false, 8, false),
        (9, false, 24, true),
        (9, true, 8, false),
        (9, false, 0, false),
        (9, true, 0, true),
        (0, false, 0, false),
        (0, false, 1, true),
    ] {
        let number_is = Some(SeverityNumber { min, match_undefined });
        let matching = Match { log_severity_number: number_is, ..strict() };
        assert_eq!(means(Signal::Logs, &matching, &request(number)), expected, "{matching:?}");
    }
}

#[test]
fn items_by_the_scope_they_are_of() {
    let request = |scope: Option<(&str, &str)>| {
        let mut request = one_span(Span::default());
        request.resource_spans[0].scope_spans[0].scope = scope.map(|(name, version)| {
            let (name, version) = (name.to_owned(), version.to_owned());
            InstrumentationScope { name, version, ..InstrumentationScope::default() }
        });
        request.encode_to_vec()
    };
    let library = |name: &str, version: Option<&str>| Library {
        name: name.to_owned(),
        version: version.map(str::to_owned),
    };
    let http = Some(("http", "1.2"));
    // Of the version: the table of contrib internal/filter/filterconfig.
    for (matching, libraries, scope, expected) in [
        (strict(), vec![library("http", None)], http, true),
        (strict(), vec![library("htt", None)], http, false),
        (regexp(), vec![library("^htt", None)], http, true),
        (strict(), vec![library("http", None)], Some(("http", "")), true),
        (strict(), vec![library("http", Some(""))], Some(("http", "")), true),
        (strict(), vec![library("http", Some(""))], http, false),
        (strict(), vec![library("http", Some("1.2"))], Some(("http", "")), false),
        (strict(), vec![library("http", Some("1.2"))], http, true),
        (regexp(), vec![library("http", Some("^1[.]"))], http, true),
        (strict(), vec![library("", None)], None, true),
        (strict(), vec![library("http", None)], None, false),
        // All of them must match.
        (strict(), vec![library("http", None), library("grpc", None)], http, false),
        (regexp(), vec![library("http", None), library("tp$", None)], http, true),
    ] {
        let matching = Match { libraries, ..matching };
        assert_eq!(means(Signal::Traces, &matching, &request(scope)), expected, "{matching:?}");
    }
}

#[test]
fn scopes_of_one_resource_are_told_apart() {
    let of_scope = |name: &str| {
        let scope = InstrumentationScope { name: name.to_owned(), ..Default::default() };
        let log_records = vec![LogRecord::default()];
        ScopeLogs { scope: Some(scope), log_records, ..ScopeLogs::default() }
    };
    let scope_logs = ["a", "b", "c"].map(of_scope).to_vec();
    let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
    let mut request = ExportLogsServiceRequest { resource_logs };
    let named = |name: &str| {
        let library = Library { name: name.to_owned(), ..Library::default() };
        Some(Match { libraries: vec![library], ..regexp() })
    };
    let editor = with(named("[ab]"), named("[bc]")).unwrap();
    let edited = editor.apply(Signal::Logs, &request.encode_to_vec(), &Silent).unwrap();
    let edited = ExportLogsServiceRequest::decode(&edited[..]).unwrap();
    request.resource_logs[0].scope_logs[0].log_records[0].attributes =
        attributes(&[("edited", text("yes"))]);
    assert_eq!(edited, request);
}

#[test]
fn metrics_by_name_alone() {
    let gauge = Gauge { data_points: vec![NumberDataPoint::default(); 2] };
    let metric =
        Metric { name: "up".to_owned(), data: Some(Data::Gauge(gauge)), ..Metric::default() };
    let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }];
    let request = ExportMetricsServiceRequest { resource_metrics }.encode_to_vec();
    let names = |names| Match { metric_names: strings(names), ..strict() };
    assert!(means(Signal::Metrics, &names(&["up"]), &request));
    assert!(!means(Signal::Metrics, &names(&["down"]), &request));
    // Without names otelcol has no matcher: all are included, none is excluded.
    let resources = Match { resources: wanted(&[("zone", None)]), ..strict() };
    for (include, exclude) in [(Some(resources.clone()), None), (None, Some(resources))] {
        let editor = with(include, exclude).unwrap();
        assert!(editor.apply(Signal::Metrics, &request, &Silent).is_some());
    }
}

#[test]
fn values_must_be_of_the_same_type_and_equal() {
    let number = |number| Some(Value::DoubleValue(number));
    let bytes = Some(Value::BytesValue(b"x".to_vec()));
    let some = |value| Some(value);
    let nested = some(Setting::Map(vec![
        ("a".to_owned(), Setting::List(vec![Setting::Int(1), Setting::Null])),
        ("b".to_owned(), Setting::Bool(true)),
    ]));
    let list = |last| list(vec![Some(Value::IntValue(1)), last]);
    let truth = Some(Value::BoolValue(true));
    let cases = [
        (some(Setting::Float(0.0)), number(-0.0), true),
        (some(Setting::Float(1.0)), Some(Value::IntValue(1)), false),
        (some(Setting::Bool(true)), truth.clone(), true),
        (some(Setting::Bool(true)), text("true"), false),
        (some(Setting::Null), None, true),
        (some(Setting::Null), text(""), false),
        (string("x"), bytes, false),
        (nested.clone(), map(&[("b", truth.clone()), ("a", list(None))]), true),
        (nested.clone(), map(&[("b", truth.clone()), ("a", list(truth.clone()))]), false),
        (nested.clone(), map(&[("b", truth.clone()), ("c", list(None))]), false),
        (nested.clone(), map(&[("b", truth.clone())]), false),
        (nested.clone(), map(&[("b", truth.clone()), ("a", list(None)), ("a", None)]), false),
        (nested, list(None), false),
    ];
    for (setting, value, expected) in cases {
        let span = Span { attributes: attributes(&[("k", value.clone())]), ..Span::default() };
        let request = one_span(span).encode_to_vec();
        let matching = Match { attributes: wanted(&[("k", setting)]), ..strict() };
        assert_eq!(means(Signal::Traces, &matching, &request), expected, "{matching:?} {value:?}");
    }
}

#[test]
fn patterns_see_scalars_as_text_without_exponents() {
    let like = |pattern: &str| Match { attributes: wanted(&[("k", string(pattern))]), ..regexp() };
    let cases = [
        ("^true$", Some(Value::BoolValue(true)), true),
        ("^1000000000000000000000$", Some(Value::DoubleValue(1e21)), true),
        ("^0.0000001$", Some(Value::DoubleValue(1e-7)), true),
        (r"^\+Inf$", Some(Value::DoubleValue(f64::INFINITY)), true),
        ("^-Inf$", Some(Value::DoubleValue(f64::NEG_INFINITY)), true),
        ("^NaN$", Some(Value::DoubleValue(f64::NAN)), true),
        (".*", None, false),
        (".*", list(vec![]), false),
        (".*", Some(Value::BytesValue(vec![])), false),
    ];
    for (pattern, value, expected) in cases {
        let span = Span { attributes: attributes(&[("k", value.clone())]), ..Span::default() };
        let request = one_span(span).encode_to_vec();
        assert_eq!(means(Signal::Traces, &like(pattern), &request), expected, "{value:?}");
    }
}

#[test]
fn what_matches_nothing_is_told_by_path() {
    let cases = [
        (Match { match_type: None, ..strict() }, "match_type: must be given: strict or regexp"),
        (
            Match { span_names: strings(&["a", "("]), ..regexp() },
            "span_names[1]: is no regular expression: unclosed group",
        ),
        (
            Match { attributes: wanted(&[("k", Some(Setting::Int(1)))]), ..regexp() },
            "attributes[0].value: must be a string to be a pattern",
        ),
        (Match { resources: wanted(&[("", None)]), ..strict() }, "resources[0].key: must be given"),
        (
            Match {
                libraries: vec![Library { version: Some("(".to_owned()), ..Library::default() }],
                ..regexp()
            },
            "libraries[0].version: is no regular expression: unclosed group",
        ),
    ];
    for (matching, expected) in cases {
        let include = with(Some(matching.clone()), None).err().unwrap().to_string();
        assert_eq!(include, format!("include.{expected}"));
        let exclude = with(None, Some(matching)).err().unwrap().to_string();
        assert_eq!(exclude, format!("exclude.{expected}"));
    }
}

#[test]
fn what_a_signal_does_not_have_is_told_by_path() {
    use Signal::{Logs, Metrics, Traces};
    let one = || strings(&["x"]);
    let pairs = || wanted(&[("k", None)]);
    let number = || Some(SeverityNumber::default());
    let library = || vec![Library::default()];
    let cases: [(&str, Match, &[Signal]); 11] = [
        ("services", Match { services: one(), ..strict() }, &[Traces]),
        ("span_names", Match { span_names: one(), ..strict() }, &[Traces]),
        ("span_kinds", Match { span_kinds: one(), ..regexp() }, &[Traces]),
        ("span_kinds", Match { span_kinds: one(), ..strict() }, &[]),
        ("log_bodies", Match { log_bodies: one(), ..strict() }, &[Logs]),
        ("log_severity_texts", Match { log_severity_texts: one(), ..strict() }, &[Logs]),
        ("log_severity_number", Match { log_severity_number: number(), ..strict() }, &[Logs]),
        ("libraries", Match { libraries: library(), ..strict() }, &[Traces, Logs]),
        ("metric_names", Match { metric_names: one(), ..strict() }, &[Metrics]),
        ("attributes", Match { attributes: pairs(), ..strict() }, &[Traces, Logs]),
        ("resources", Match { resources: pairs(), ..strict() }, &[Traces, Logs, Metrics]),
    ];
    for (key, matching, of) in cases {
        let editor = with(None, Some(matching)).unwrap();
        for signal in [Traces, Metrics, Logs] {
            let path = editor.check(signal).err().map(|error| error.path);
            let expected = (!of.contains(&signal)).then(|| format!("exclude.{key}"));
            assert_eq!(path, expected, "{signal:?}");
        }
    }
    assert_eq!(resource_editor(vec![put(ActionKind::Insert, "a", "1")]).check(Logs), Ok(()));
}
