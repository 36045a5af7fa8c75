//! Whole configurations: what is accepted, and everything that is said about the rest.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::environment::Answer;
use crate::settings::Secret;
use crate::yaml;

mod cross_field;
mod deferred;
mod secrecy;
mod size;

/// The configuration of the document that this project answers to, to the letter.
const DOCUMENT: &str = "\
# otel-collector-config.yaml
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 0.0.0.0:4317
      http:
        endpoint: 0.0.0.0:4318

processors:
  batch:
    timeout: 10s
  memory_limiter:
    check_interval: 1s
    limit_mib: 1000

exporters:
  jaeger:
    endpoint: jaeger:14250
    tls:
      insecure: true
  prometheus:
    endpoint: 0.0.0.0:8889
  loki:
    endpoint: http://loki:3100/loki/api/v1/push

service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [jaeger]
    metrics:
      receivers: [otlp]
      processors: [batch]
      exporters: [prometheus]
    logs:
      receivers: [otlp]
      processors: [batch]
      exporters: [loki]
";

/// Nothing is set.
fn nothing(_: &str) -> Answer {
    Answer::Unset
}

/// `UNKNOWN…` is known to the collector only.
fn partly(name: &str) -> Answer {
    if name.starts_with("UNKNOWN") { Answer::Unknown } else { Answer::Unset }
}

fn report(text: &str) -> Report {
    report_in(text, &nothing)
}

fn report_in(text: &str, environment: &dyn Environment) -> Report {
    let value = yaml::parse(text).unwrap_or_else(|problem| panic!("{problem}\n{text}"));
    let report = check(&value, environment, &Options::default());
    assert_eq!(report.checked.is_some(), report.problems.is_empty());
    report
}

/// A configuration in which nothing is wrong.
fn accepted(text: &str) -> Checked {
    let report = report(text);
    assert_eq!(lines(&report.problems), Vec::<String>::new(), "{text}");
    report.checked.unwrap()
}

fn lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// One component in the least configuration that holds it.
fn with(class: Class, id: &str, settings: &str) -> String {
    let otlp = "receivers: {otlp: {protocols: {grpc: }}}";
    let kind = id.split('/').next().unwrap();
    let entry = find(class, kind);
    let signal = entry.and_then(|entry| entry.signals.first()).map_or("traces", |s| s.as_str());
    let pipeline = |processors: &str, exporter: &str| {
        format!(
            "{signal}: {{receivers: [otlp], processors: [{processors}], exporters: [{exporter}]}}"
        )
    };
    match class {
        Class::Receiver => format!(
            "{{receivers: {{{id}: {settings}}}, exporters: {{nop: }}, \
             service: {{pipelines: {{traces: {{receivers: [{id}], exporters: [nop]}}}}}}}}"
        ),
        Class::Processor => format!(
            "{{{otlp}, processors: {{{id}: {settings}}}, exporters: {{nop: }}, \
             service: {{pipelines: {{{}}}}}}}",
            pipeline(id, "nop")
        ),
        Class::Exporter => format!(
            "{{{otlp}, exporters: {{{id}: {settings}}}, service: {{pipelines: {{{}}}}}}}",
            pipeline("", id)
        ),
        Class::Extension => format!(
            "{{{otlp}, exporters: {{nop: }}, extensions: {{{id}: {settings}}}, \
             service: {{extensions: [{id}], pipelines: {{{}}}}}}}",
            pipeline("", "nop")
        ),
    }
}

/// A gRPC receiver, nop, and this under `service`.
fn with_service(service: &str) -> String {
    format!(
        "{{receivers: {{otlp: {{protocols: {{grpc: }}}}}}, exporters: {{nop: }}, service: {{{service}}}}}"
    )
}

const TRACES: &str = "pipelines: {traces: {receivers: [otlp], exporters: [nop]}}";

fn id(text: &str) -> ComponentId {
    text.parse().unwrap()
}

fn ids<const N: usize>(texts: [&str; N]) -> Vec<ComponentId> {
    texts.map(id).into()
}

#[test]
fn the_documents_configuration_is_accepted_without_a_word() {
    let report = report(DOCUMENT);
    assert_eq!(lines(&report.problems), Vec::<String>::new());
    assert_eq!(lines(&report.warnings), Vec::<String>::new());
    let checked = report.checked.unwrap();
    let listeners: Vec<_> = checked
        .listeners()
        .iter()
        .map(|l| (l.name.as_str(), l.host.as_str(), l.port, l.kind, l.tls, l.is_loopback()))
        .collect();
    assert_eq!(
        listeners,
        [
            ("metrics", "localhost", 8888, ListenerKind::SelfMetrics, false, true),
            ("otlp-grpc", "0.0.0.0", 4317, ListenerKind::OtlpGrpc, false, false),
            ("otlp-http", "0.0.0.0", 4318, ListenerKind::OtlpHttp, false, false),
            ("prometheus", "0.0.0.0", 8889, ListenerKind::PrometheusScrape, false, false),
        ]
    );
    assert_eq!(checked.memory_limit_mib(), Some(1000));
    let pipelines: Vec<_> = checked
        .pipelines()
        .iter()
        .map(|p| (p.id.to_string(), p.receivers.clone(), p.processors.clone(), p.exporters.clone()))
        .collect();
    let limited = ids(["memory_limiter", "batch"]);
    assert_eq!(
        pipelines,
        [
            ("traces".into(), ids(["otlp"]), limited, ids(["jaeger"])),
            ("metrics".into(), ids(["otlp"]), ids(["batch"]), ids(["prometheus"])),
            ("logs".into(), ids(["otlp"]), ids(["batch"]), ids(["loki"])),
        ]
    );
    assert!(checked.deferred().is_empty() && checked.extensions().is_empty());
    assert_eq!(checked.components().count(), 6);
    let Some(Component::Jaeger(jaeger)) = checked.component(Class::Exporter, &id("jaeger")) else {
        panic!("no jaeger exporter")
    };
    assert!(jaeger.tls.insecure);
    assert_eq!((jaeger.endpoint.host.as_str(), jaeger.endpoint.port), ("jaeger", 14250));
    let Some(Component::Batch(batch)) = checked.component(Class::Processor, &id("batch")) else {
        panic!("no batch processor")
    };
    assert_eq!(batch.timeout, std::time::Duration::from_secs(10));
}

#[test]
fn what_is_written_and_read_again_is_the_same_configuration() {
    let value = yaml::parse(DOCUMENT).unwrap();
    let again = yaml::parse(&yaml::emit(&value)).unwrap();
    assert_eq!(again, value);
    let sorted = check(&value.sorted(), &nothing, &Options::default());
    assert_eq!(sorted.checked, accepted(DOCUMENT).into());
}

#[test]
fn many_mistakes_are_all_told_at_once_by_path() {
    let report = report(
        "
recievers: {}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: 4317}
      htpp: {}
  kafka: {}
processors:
  batch: {tiemout: 10s, send_batch_size: lots}
  memory_limiter: {limit_mib: 1000}
  resource/unused: {attributes: [{key: a, action: upsrt, value: 1}]}
  9lives: {}
exporters:
  jaegr: {endpoint: 'jaeger:14250'}
  prometheus: {}
  loki: {endpoint: 'loki:3100'}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [batch, memory_limiter], exporters: [jaegr]}
    metrics: {receivers: [otlp, otlp], processors: [bacth], exporters: [prometheus, loki]}
    trace: {receivers: [kafka], exporters: []}
    logs: {receivers: [], exporters: [debug]}
",
    );
    let expected = [
        "exporters.jaegr: the exporter \"jaegr\" is not built in; did you mean \"jaeger\"? [unknown-component]",
        "exporters.loki.endpoint: \"loki:3100\" is no URL: http:// or https:// and a host [invalid-value]",
        "exporters.prometheus.endpoint: must be given [missing]",
        "processors.9lives: \"9lives\" is no component id: type or type/name, the type of letters, digits and underscores, beginning with a letter [invalid-id]",
        "processors.batch.send_batch_size: \"lots\" where an integer is wanted [wrong-type]",
        "processors.batch.tiemout: unknown key; did you mean \"timeout\"? [unknown-key]",
        "processors.memory_limiter.check_interval: must be given, and above 0 [missing]",
        "processors.resource/unused: is defined but not used: no pipeline names it [unused]",
        "processors.resource/unused.attributes[0].action: \"upsrt\" is none of \"insert\", \"update\", \"upsert\", \"delete\", \"hash\", \"extract\", \"convert\" [invalid-value]",
        "receivers.kafka: the receiver \"kafka\" is not built in; built in: otlp [unknown-component]",
        "receivers.otlp.protocols.grpc.endpoint: 4317 where a string is wanted [wrong-type]",
        "receivers.otlp.protocols.htpp: unknown key; did you mean \"http\"? [unknown-key]",
        "recievers: unknown key; did you mean \"receivers\"? [unknown-key]",
        "service.pipelines.logs.exporters[0]: debug is not defined in exporters; if it is written as \"debug:\" with nothing after it, write \"debug: {}\": kubectl apply drops empty values [undefined]",
        "service.pipelines.logs.receivers: a pipeline needs at least one receiver [invalid-pipeline]",
        "service.pipelines.metrics.exporters[1]: loki carries logs only, not metrics [unsupported-signal]",
        "service.pipelines.metrics.processors[0]: bacth is not defined in processors; did you mean \"batch\"? [undefined]",
        "service.pipelines.metrics.receivers[1]: otlp stands twice [invalid-pipeline]",
        "service.pipelines.trace: a pipeline is one of traces, metrics and logs; did you mean \"traces\"? [invalid-id]",
        "service.pipelines.trace.exporters: a pipeline needs at least one exporter [invalid-pipeline]",
    ];
    assert_eq!(lines(&report.problems), expected);
    assert!(report.problems.is_sorted());
    assert_eq!(
        lines(&report.warnings),
        ["service.pipelines.traces.processors: memory_limiter should come first [questionable]"]
    );
    assert!(report.checked.is_none());
}

#[test]
fn every_code_is_told_by_some_configuration() {
    let mut told: BTreeSet<Code> = BTreeSet::new();
    for text in ["a: 1\na: 2\n".to_owned(), "[".repeat(65)] {
        told.insert(yaml::parse(&text).unwrap_err().code);
    }
    let texts = [
        with(Class::Exporter, "kafka", "{}"),
        with(Class::Exporter, "debug", "{verbose: true}"),
        with(Class::Exporter, "debug", "{verbosity: 1}"),
        with(Class::Exporter, "debug", "{verbosity: loud}"),
        with(Class::Exporter, "jaeger", ""),
        with(Class::Exporter, "debug", "{output_paths: ['${file:x}']}"),
        with(Class::Exporter, "debug", "{output_paths: ['${env:X}']}"),
        with(Class::Exporter, "debug", "{output_paths: ['${env:UNKNOWN}']}"),
        with(Class::Exporter, "prometheus", "{endpoint: ':1', add_metric_suffixes: true}"),
        with(Class::Exporter, "prometheus", "{endpoint: ':4317'}"),
        with(Class::Exporter, "otlp/", "{endpoint: 'a:1'}"),
        with_service("pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}"),
        with_service("pipelines: {logs: {receivers: [otlp], exporters: []}}"),
        with(Class::Processor, "batch", "").replace("[batch]", "[batch, memory_limiter]"),
        "{receivers: {otlp: {protocols: {grpc: }}}, processors: {batch: , memory_limiter: {check_interval: 1s, limit_mib: 1}}, \
          exporters: {loki: {endpoint: 'http://a'}}, service: {pipelines: {traces: \
          {receivers: [otlp], processors: [batch, memory_limiter], exporters: [loki]}}}}".to_owned(),
    ];
    for text in texts {
        let report = report_in(&text, &partly);
        told.extend(report.problems.iter().chain(&report.warnings).map(|problem| problem.code));
    }
    use Code::{
        Deferred, InvalidId, InvalidPipeline, InvalidReference, InvalidValue, Missing,
        PortConflict, Questionable, Renamed, Syntax, TooLarge, Undefined, UnknownComponent,
        UnknownKey, UnsetVariable, UnsupportedSignal, Unused, WrongType,
    };
    let all = [
        Syntax,
        TooLarge,
        UnknownComponent,
        UnknownKey,
        WrongType,
        InvalidValue,
        Missing,
        Undefined,
        Unused,
        InvalidId,
        InvalidPipeline,
        UnsupportedSignal,
        PortConflict,
        InvalidReference,
        UnsetVariable,
        Deferred,
        Renamed,
        Questionable,
    ];
    assert_eq!(told, BTreeSet::from(all));
    let spellings: BTreeSet<&str> = all.iter().map(|code| code.as_str()).collect();
    assert_eq!(spellings.len(), all.len());
}

#[test]
fn a_body_with_nothing_in_it_is_all_defaults() {
    let checked = accepted(
        "
receivers: {otlp: {protocols: {grpc: , http: }}}
processors: {batch: }
exporters: {debug: , nop: }
extensions: {health_check: }
service:
  telemetry:
  extensions: [health_check]
  pipelines: {logs: {receivers: [otlp], processors: [batch], exporters: [debug, nop]}}
",
    );
    let Some(Component::Batch(batch)) = checked.component(Class::Processor, &id("batch")) else {
        panic!("no batch processor")
    };
    assert_eq!(*batch, crate::components::batch::Batch::default());
    let ports: Vec<u16> = checked.listeners().iter().map(|listener| listener.port).collect();
    assert_eq!(ports, [13133, 8888, 4317, 4318]);
    assert_eq!(checked.extensions(), ids(["health_check"]));
}

#[test]
fn sections_may_be_null_but_not_anything_else() {
    let text = with_service(TRACES)
        .replace("exporters: {nop: }", "exporters: {nop: }, processors: , extensions: ");
    accepted(&text);
    for (text, expected) in [
        ("5", ": 5 where a map is wanted [wrong-type]"),
        ("{receivers: [otlp]}", "receivers: a list where a map is wanted [wrong-type]"),
        ("{service: on}", "service: \"on\" where a map is wanted [wrong-type]"),
        (
            "{service: {pipelines: []}}",
            "service.pipelines: a list where a map is wanted [wrong-type]",
        ),
        (
            "{service: {pipelines: {traces: 1}}}",
            "service.pipelines.traces: 1 where a map is wanted [wrong-type]",
        ),
        (
            "{service: {pipelines: {traces: {receivers: otlp}}}}",
            "service.pipelines.traces.receivers: \"otlp\" where a list is wanted [wrong-type]",
        ),
        (
            "{service: {extensions: {}}}",
            "service.extensions: a map where a list is wanted [wrong-type]",
        ),
        ("", "service.pipelines: at least one pipeline must be given [missing]"),
        ("{service: }", "service.pipelines: at least one pipeline must be given [missing]"),
        (
            "{service: {pipelines: {}}}",
            "service.pipelines: at least one pipeline must be given [missing]",
        ),
    ] {
        let lines = lines(&report(text).problems);
        let found = lines.iter().any(|line| line == expected.trim_start_matches(": "));
        assert!(found, "{text}: {lines:?}");
    }
}

#[test]
fn both_spellings_of_a_renamed_component_are_accepted() {
    for name in ["otlp", "otlp_grpc", "otlp/2", "otlp_grpc/2"] {
        let checked = accepted(&with(Class::Exporter, name, "{endpoint: 'a:1'}"));
        assert!(matches!(checked.component(Class::Exporter, &id(name)), Some(Component::Otlp(_))));
    }
    for name in ["otlphttp", "otlp_http", "otlp_http/2"] {
        let checked = accepted(&with(Class::Exporter, name, "{endpoint: 'http://a'}"));
        assert!(matches!(
            checked.component(Class::Exporter, &id(name)),
            Some(Component::OtlpHttp(_))
        ));
    }
}

#[test]
fn components_and_pipelines_of_one_kind_are_told_apart_by_name() {
    let checked = accepted(
        "
receivers:
  otlp: {protocols: {grpc: }}
  otlp/2: {protocols: {grpc: {endpoint: 'localhost:4319'}}}
exporters: {nop/a: , nop/b: }
service:
  pipelines:
    traces/2: {receivers: [otlp/2], exporters: [nop/b]}
    traces: {receivers: [otlp], exporters: [nop/a]}
",
    );
    let names: Vec<String> = checked.pipelines().iter().map(|p| p.id.to_string()).collect();
    assert_eq!(names, ["traces", "traces/2"]);
    let names: Vec<&str> = checked.listeners().iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["metrics", "otlp-2-grpc", "otlp-grpc"]);
    for id in ["traces/", "trace", "traces/a b", "profiles", ""] {
        let report = report(&with_service(&format!(
            "pipelines: {{'{id}': {{receivers: [otlp], exporters: [nop]}}}}"
        )));
        let codes: Vec<Code> = report.problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, [Code::InvalidId], "{id:?}: {:?}", report.problems);
    }
}

#[test]
fn a_component_carries_its_signals_only() {
    for (exporter, settings, carried) in [
        ("jaeger", "{endpoint: 'a:1'}", Signal::Traces),
        ("prometheus", "{endpoint: ':1'}", Signal::Metrics),
        ("loki", "{endpoint: 'http://a'}", Signal::Logs),
    ] {
        for signal in Signal::ALL {
            let text = with(Class::Exporter, exporter, settings).replace(
                &format!("{}: {{receivers", carried.as_str()),
                &format!("{}: {{receivers", signal.as_str()),
            );
            let report = report(&text);
            if signal == carried {
                assert_eq!(lines(&report.problems), Vec::<String>::new(), "{text}");
            } else {
                let (carried, signal) = (carried.as_str(), signal.as_str());
                let expected = format!(
                    "service.pipelines.{signal}.exporters[0]: {exporter} carries {carried} only, not {signal} \
                     [unsupported-signal]"
                );
                assert_eq!(lines(&report.problems), [expected]);
            }
        }
    }
}

#[test]
fn two_listeners_on_one_port_conflict_where_their_addresses_overlap() {
    let table = [
        ("0.0.0.0", "0.0.0.0", true),
        ("0.0.0.0", "127.0.0.1", true),
        ("127.0.0.1", "0.0.0.0", true),
        ("", "10.0.0.1", true),
        ("[::]", "127.0.0.1", true),
        ("localhost", "[::1]", true),
        ("localhost", "127.0.0.1", true),
        ("[0:0:0:0:0:0:0:1]", "[::1]", true),
        ("127.0.0.1", "[::1]", false),
        ("127.0.0.1", "127.0.0.2", false),
        ("10.0.0.1", "10.0.0.2", false),
        ("localhost", "10.0.0.1", false),
    ];
    for (first, second, conflict) in table {
        let text = |port: u16| {
            format!(
                "{{receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '{first}:7000'}}, http: {{endpoint: '{second}:{port}'}}}}}}}}, \
                 exporters: {{nop: }}, service: {{{TRACES}}}}}"
            )
        };
        let expected = "receivers.otlp.protocols.http.endpoint: port 7000 is also that of receivers.otlp.protocols.grpc.endpoint [port-conflict]";
        let expected: &[&str] = if conflict { &[expected] } else { &[] };
        assert_eq!(lines(&report(&text(7000)).problems), expected, "{first} and {second}");
        accepted(&text(7001));
    }
}

#[test]
fn the_collectors_own_metrics_are_a_listener_like_any_other() {
    let text = with(Class::Exporter, "prometheus", "{endpoint: '0.0.0.0:8888'}");
    let expected = "service.telemetry.metrics: port 8888 is also that of exporters.prometheus.endpoint [port-conflict]";
    assert_eq!(lines(&report(&text).problems), [expected]);
    let moved = [
        ("metrics: {level: none}", None),
        ("metrics: {address: ':9000'}", Some(("", 9000))),
        (
            "metrics: {readers: [{pull: {exporter: {prometheus: {host: 0.0.0.0, port: 9001}}}}]}",
            Some(("0.0.0.0", 9001)),
        ),
        (
            "metrics: {readers: [{pull: {exporter: {prometheus: {port: 9002}}}}]}",
            Some(("localhost", 9002)),
        ),
    ];
    for (telemetry, address) in moved {
        let text = text.replace("service: {", &format!("service: {{telemetry: {{{telemetry}}}, "));
        let checked = accepted(&text);
        let own = checked.listeners().iter().find(|l| l.kind == ListenerKind::SelfMetrics);
        assert_eq!(own.map(|l| (l.host.as_str(), l.port)), address, "{telemetry}");
    }
}

#[test]
fn every_socket_of_the_catalogue_is_opened_at_a_documented_key() {
    let mut sockets = 0;
    for entry in crate::catalogue::CATALOGUE {
        let settings = match (entry.class, entry.name) {
            (Class::Receiver, "otlp") => "{protocols: {grpc: , http: }}",
            (Class::Exporter, "prometheus") => "{endpoint: ':1'}",
            _ => "",
        };
        let keys: Vec<String> = (entry.keys)().into_iter().map(|key| key.key).collect();
        let documented = |key: &str| keys.iter().any(|known| known == key);
        assert!(entry.listens.iter().all(|socket| documented(socket.key)), "{}", entry.name);
        if entry.listens.is_empty() {
            continue;
        }
        let checked = accepted(&with(entry.class, entry.name, settings));
        for socket in entry.listens {
            let path = format!("{}.{}.{}", entry.class.section(), entry.name, socket.key);
            let opened = checked.listeners().iter().find(|listener| listener.path == path);
            assert_eq!(opened.map(|listener| listener.kind), Some(socket.kind), "{path}");
            sockets += 1;
        }
    }
    assert_eq!(sockets, 4);
}

#[test]
fn a_reserved_port_is_nobody_elses() {
    let value =
        yaml::parse(&with(Class::Exporter, "prometheus", "{endpoint: 'localhost:13134'}")).unwrap();
    assert!(check(&value, &nothing, &Options::default()).problems.is_empty());
    let report = check(&value, &nothing, &Options { reserved_ports: vec![13134] });
    let expected = "exporters.prometheus.endpoint: port 13134 is the admin listener's; use another port [port-conflict]";
    assert_eq!(lines(&report.problems), [expected]);
}

#[test]
fn what_is_defined_is_used_and_what_is_used_is_defined() {
    let unused = with_service(TRACES).replace(
        "exporters: {nop: }",
        "exporters: {nop: , debug: }, processors: {batch: }, extensions: {health_check: }",
    );
    assert_eq!(
        lines(&report(&unused).problems),
        [
            "exporters.debug: is defined but not used: no pipeline names it [unused]",
            "extensions.health_check: is defined but not used: service.extensions does not name it [unused]",
            "processors.batch: is defined but not used: no pipeline names it [unused]",
        ]
    );
    let undefined = |processors: &str, defined: &str| {
        let text = with_service(&format!(
            "pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [nop]}}}}"
        ));
        lines(
            &report(&text.replace(
                "exporters: {nop: }",
                &format!("exporters: {{nop: }}, processors: {{{defined}}}"),
            ))
            .problems,
        )
    };
    let null_body = "service.pipelines.traces.processors[0]: batch is not defined in processors; if it is written as \
                     \"batch:\" with nothing after it, write \"batch: {}\": kubectl apply drops empty values [undefined]";
    assert_eq!(undefined("batch", ""), [null_body]);
    let meant = "service.pipelines.traces.processors[1]: batch/secnd is not defined in processors; \
                 did you mean \"batch/second\"? [undefined]";
    assert_eq!(undefined("batch/second, batch/secnd", "batch/second: "), [meant]);
    let stranger =
        "service.pipelines.traces.processors[0]: kafka is not defined in processors [undefined]";
    assert_eq!(undefined("kafka", ""), [stranger]);
    let position =
        "service.pipelines.traces.processors[1]: kafka is not defined in processors [undefined]";
    assert!(undefined("5, kafka", "").contains(&position.to_owned()));
    let extension = with_service(&format!("extensions: [health_check], {TRACES}"));
    assert!(
        lines(&report(&extension).problems)[0]
            .contains("service.extensions[0]: health_check is not defined in extensions")
    );
}

#[test]
fn one_mistake_is_told_once() {
    for (text, expected) in [
        (with(Class::Exporter, "kafka", "{}"), "exporters.kafka"),
        (
            with(Class::Processor, "memory_limiter", "{check_interval: 1s, limit_mib: lots}"),
            "processors.memory_limiter.limit_mib",
        ),
        (
            with(Class::Processor, "memory_limiter", "{check_interval: 1, limit_mib: 9}"),
            "processors.memory_limiter.check_interval",
        ),
        (with(Class::Processor, "resource", "{attributes: 1}"), "processors.resource.attributes"),
        (with(Class::Exporter, "otlphttp", "{endpoint: a}"), "exporters.otlphttp.endpoint"),
        (with(Class::Exporter, "jaeger", "{endpoint: a}"), "exporters.jaeger.endpoint"),
        (with(Class::Receiver, "otlp", "{protocols: {grpc: 1}}"), "receivers.otlp.protocols.grpc"),
        (
            with_service("pipelines: {trace: {receivers: [otlp], exporters: [nop]}}"),
            "service.pipelines.trace",
        ),
        (with_service(""), "service.pipelines"),
        (
            with_service("pipelines: {traces: {receivers: otlp, exporters: [nop]}}"),
            "service.pipelines.traces.receivers",
        ),
        (
            with_service("pipelines: {traces: {receivers: [otpl], exporters: [nop]}}"),
            "service.pipelines.traces.receivers[0]",
        ),
        (with_service("pipelines: {traces: 1}"), "service.pipelines.traces"),
    ] {
        let report = report(&text);
        let paths: Vec<&str> =
            report.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, [expected], "{:?}", report.problems);
    }
}

#[test]
fn memory_limiter_is_best_first() {
    let text = |order: &str| {
        format!(
            "{{receivers: {{otlp: {{protocols: {{grpc: }}}}}}, exporters: {{nop: }}, \
             processors: {{batch: , memory_limiter/x: {{check_interval: 1s, limit_percentage: 50}}}}, \
             service: {{pipelines: {{logs/a: {{receivers: [otlp], processors: [{order}], exporters: [nop]}}}}}}}}"
        )
    };
    assert_eq!(report(&text("memory_limiter/x, batch")).warnings, []);
    let report = report(&text("batch, memory_limiter/x"));
    assert_eq!(
        lines(&report.warnings),
        ["service.pipelines.logs/a.processors: memory_limiter should come first [questionable]"]
    );
    assert_eq!(report.checked.unwrap().memory_limit_mib(), None);
}

#[test]
fn a_variables_value_stands_in_its_place() {
    let world = |name: &str| match name {
        "POD_IP" => Answer::Value("10.1.2.3".into()),
        "LIMIT" => Answer::Value("512".into()),
        "EXPORTERS" => Answer::Value("[nop]".into()),
        "TOKEN" => Answer::Value("0123".into()),
        _ => Answer::Unset,
    };
    let report = report_in(
        "
receivers: {otlp: {protocols: {grpc: {endpoint: '${env:POD_IP}:${env:PORT:-4317}'}}}}
processors:
  memory_limiter: {check_interval: '${env:NOPE:-1s}', limit_mib: '${env:LIMIT}'}
exporters:
  nop:
  otlp: {endpoint: 'a:1', headers: {token: '${env:TOKEN}'}, authority: '${env:GONE}'}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: '${env:EXPORTERS}'}
    logs: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp]}
",
        &world,
    );
    assert_eq!(lines(&report.problems), Vec::<String>::new());
    assert_eq!(
        lines(&report.warnings),
        [
            "exporters.otlp.authority: the variable GONE is not set: its place stays empty; write ${env:GONE:-default} for a default [unset-variable]"
        ]
    );
    let checked = report.checked.unwrap();
    assert_eq!(checked.memory_limit_mib(), Some(512));
    let grpc = checked.listeners().iter().find(|l| l.kind == ListenerKind::OtlpGrpc).unwrap();
    assert_eq!((grpc.host.as_str(), grpc.port), ("10.1.2.3", 4317));
    let Some(Component::Otlp(otlp)) = checked.component(Class::Exporter, &id("otlp")) else {
        panic!("no otlp")
    };
    assert_eq!(otlp.headers["token"], Secret("0123".into()));
    assert_eq!(checked.pipelines()[0].exporters, ids(["nop"]));
}

/// Trees of the words that configurations are made of.
fn soup() -> impl Strategy<Value = Value> {
    const WORDS: &[&str] = &[
        "receivers",
        "processors",
        "exporters",
        "extensions",
        "service",
        "pipelines",
        "telemetry",
        "metrics",
        "traces",
        "logs",
        "otlp",
        "otlp/2",
        "otlphttp",
        "batch",
        "memory_limiter",
        "resource",
        "attributes",
        "jaeger",
        "prometheus",
        "loki",
        "debug",
        "nop",
        "health_check",
        "protocols",
        "grpc",
        "http",
        "endpoint",
        "traces_endpoint",
        "tls",
        "cert_file",
        "key_file",
        "insecure",
        "timeout",
        "limit_mib",
        "check_interval",
        "actions",
        "action",
        "key",
        "value",
        "include",
        "match_type",
        "services",
        "readers",
        "pull",
        "exporter",
        "address",
        "level",
        "headers",
        "const_labels",
        "metadata_keys",
        "retry_on_failure",
        "sending_queue",
        "batch",
        "max_size",
        "localhost:4317",
        "0.0.0.0:4317",
        "http://loki",
        "10s",
        "upsert",
        "strict",
        "${env:UNKNOWN}",
        "${env:SET}",
        "${env:UNSET}",
        "${",
        "$$",
        "",
        "a b",
    ];
    let word = prop::sample::select(WORDS);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-3i128..70_000).prop_map(Value::Int),
        word.clone().prop_map(|word| Value::String(word.into())),
    ];
    leaf.prop_recursive(7, 80, 6, move |inner| {
        let entry = (word.clone(), inner.clone());
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::List),
            3 => prop::collection::vec(entry, 0..6).prop_map(|entries| {
                let mut seen = HashSet::new();
                let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Map(entries.filter(|(key, _)| seen.insert(key.clone())).collect())
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_tree_is_checked_without_panicking(value in prop_oneof![soup(), crate::value::tests::tree()]) {
        let world = |name: &str| match name {
            "UNKNOWN" => Answer::Unknown,
            "SET" => Answer::Value("{otlp: [nop, 1]}".into()),
            _ => Answer::Unset,
        };
        let report = check(&value, &world, &Options { reserved_ports: vec![4317] });
        prop_assert_eq!(report.checked.is_some(), report.problems.is_empty());
        for list in [&report.problems, &report.warnings] {
            prop_assert!(list.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", list);
        }
    }

    #[test]
    fn sections_of_any_shape_are_checked_without_panicking(sections in prop::collection::vec(soup(), 5)) {
        let names = ["receivers", "processors", "exporters", "extensions", "service"];
        let entries = names.iter().zip(sections).map(|(name, value)| ((*name).to_owned(), value));
        let report = check(&Value::Map(entries.collect()), &partly, &Options::default());
        prop_assert_eq!(report.checked.is_some(), report.problems.is_empty());
    }
}
