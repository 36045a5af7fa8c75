//! What is known only where the collector runs is a warning, and nothing is said of what depends on it.

use super::*;

/// The paths that are deferred, and the listeners that are left; nothing may be a problem.
fn deferred(text: &str) -> (Vec<String>, Vec<String>) {
    let report = report_in(text, &partly);
    assert_eq!(lines(&report.problems), Vec::<String>::new(), "{text}");
    let checked = report.checked.unwrap();
    let paths: Vec<String> = checked.deferred().iter().cloned().collect();
    let warned: Vec<String> = report.warnings.iter().map(|warning| warning.path.clone()).collect();
    assert_eq!(warned, paths, "{text}");
    for warning in &report.warnings {
        assert_eq!(warning.code, Code::Deferred);
        assert!(warning.message.contains("${env:UNKNOWN"), "{warning}");
    }
    let listeners = checked.listeners().iter().map(|listener| listener.name.clone()).collect();
    (paths, listeners)
}

/// Deferring a value defers this path and leaves these listeners.
fn defers(text: &str, path: &str, listeners: &[&str]) {
    let (paths, left) = deferred(text);
    assert_eq!(paths, [path], "{text}");
    assert_eq!(left, listeners, "{text}");
}

const GRPC: &[&str] = &["metrics", "otlp-grpc"];

#[test]
fn an_address_that_is_not_known_is_no_listener() {
    let unknown = "'${env:UNKNOWN_HOST}:4317'";
    let receiver = |settings: &str| with(Class::Receiver, "otlp", settings);
    let path = "receivers.otlp.protocols.grpc.endpoint";
    defers(
        &receiver(&format!("{{protocols: {{grpc: {{endpoint: {unknown}}}}}}}")),
        path,
        &["metrics"],
    );
    let with_http = receiver(&format!("{{protocols: {{grpc: {{endpoint: {unknown}}}, http: }}}}"));
    defers(&with_http, path, &["metrics", "otlp-http"]);
    let page = with(Class::Exporter, "prometheus", "{endpoint: '${env:UNKNOWN}'}");
    defers(&page, "exporters.prometheus.endpoint", GRPC);
    let health = with(Class::Extension, "health_check", "{endpoint: '${env:UNKNOWN}'}");
    defers(&health, "extensions.health_check.endpoint", GRPC);
}

#[test]
fn an_address_that_is_not_known_conflicts_with_nobody() {
    let text = with(Class::Exporter, "prometheus", "{endpoint: '${env:UNKNOWN}'}");
    let text =
        text.replace("service: {", "service: {telemetry: {metrics: {address: '${env:UNKNOWN}'}}, ");
    let (paths, listeners) = deferred(&text);
    assert_eq!(paths, ["exporters.prometheus.endpoint", "service.telemetry.metrics.address"]);
    assert_eq!(listeners, ["otlp-grpc"]);
}

#[test]
fn what_must_be_given_may_be_given_later() {
    for (class, name, settings, path) in [
        (Class::Exporter, "jaeger", "{endpoint: '${env:UNKNOWN}'}", "exporters.jaeger.endpoint"),
        (Class::Exporter, "loki", "{endpoint: '${env:UNKNOWN}'}", "exporters.loki.endpoint"),
        (Class::Exporter, "otlp", "{endpoint: '${env:UNKNOWN}:1'}", "exporters.otlp.endpoint"),
        (
            Class::Exporter,
            "otlphttp",
            "{endpoint: '${env:UNKNOWN}'}",
            "exporters.otlphttp.endpoint",
        ),
        (
            Class::Exporter,
            "otlphttp",
            "{traces_endpoint: '${env:UNKNOWN}'}",
            "exporters.otlphttp.traces_endpoint",
        ),
        (
            Class::Exporter,
            "otlphttp",
            "{logs_endpoint: 'http://a', traces_endpoint: '${env:UNKNOWN}'}",
            "exporters.otlphttp.traces_endpoint",
        ),
        (
            Class::Exporter,
            "otlphttp",
            "{logs_endpoint: 'http://a', endpoint: '${env:UNKNOWN}'}",
            "exporters.otlphttp.endpoint",
        ),
        (
            Class::Processor,
            "memory_limiter",
            "{check_interval: '${env:UNKNOWN}', limit_mib: 9}",
            "processors.memory_limiter.check_interval",
        ),
        (
            Class::Processor,
            "memory_limiter",
            "{check_interval: 1s, limit_mib: '${env:UNKNOWN}'}",
            "processors.memory_limiter.limit_mib",
        ),
        (
            Class::Processor,
            "memory_limiter",
            "{check_interval: 1s, limit_mib: '${env:UNKNOWN}', spike_limit_mib: 5}",
            "processors.memory_limiter.limit_mib",
        ),
        (
            Class::Processor,
            "memory_limiter",
            "{check_interval: 1s, limit_percentage: '${env:UNKNOWN}'}",
            "processors.memory_limiter.limit_percentage",
        ),
        (
            Class::Processor,
            "resource",
            "{attributes: '${env:UNKNOWN}'}",
            "processors.resource.attributes",
        ),
        (
            Class::Processor,
            "resource",
            "{attributes: ['${env:UNKNOWN}']}",
            "processors.resource.attributes[0]",
        ),
        (
            Class::Processor,
            "attributes",
            "{actions: ['${env:UNKNOWN}']}",
            "processors.attributes.actions[0]",
        ),
    ] {
        defers(&with(class, name, settings), path, GRPC);
    }
}

#[test]
fn one_action_may_depend_on_any_of_its_settings() {
    for (action, key) in [
        ("{key: '${env:UNKNOWN}', action: upsert, value: 1}", "key"),
        ("{key: a, action: '${env:UNKNOWN}'}", "action"),
        ("{key: a, action: '${env:UNKNOWN}', value: 1}", "action"),
        ("{key: a, action: upsert, value: '${env:UNKNOWN}'}", "value"),
        ("{key: a, action: upsert, from_attribute: '${env:UNKNOWN}'}", "from_attribute"),
        ("{key: a, action: insert, from_context: '${env:UNKNOWN}'}", "from_context"),
        ("{key: a, action: extract, pattern: '${env:UNKNOWN}'}", "pattern"),
        ("{action: delete, pattern: '${env:UNKNOWN}'}", "pattern"),
        ("{key: a, action: convert, converted_type: '${env:UNKNOWN}'}", "converted_type"),
    ] {
        let text = with(Class::Processor, "attributes", &format!("{{actions: [{action}]}}"));
        defers(&text, &format!("processors.attributes.actions[0].{key}"), GRPC);
    }
    for (matching, path) in [
        ("{match_type: '${env:UNKNOWN}', services: [a]}", "match_type"),
        ("{match_type: strict, services: ['${env:UNKNOWN}']}", "services[0]"),
        ("{match_type: strict, services: '${env:UNKNOWN}'}", "services"),
        ("{match_type: strict, resources: ['${env:UNKNOWN}']}", "resources[0]"),
    ] {
        let text = with(
            Class::Processor,
            "attributes",
            &format!("{{actions: [{{key: a, action: delete}}], include: {matching}}}"),
        );
        defers(&text, &format!("processors.attributes.include.{path}"), GRPC);
    }
}

#[test]
fn one_entry_of_a_list_or_map_may_be_known_later() {
    let headers = with(
        Class::Exporter,
        "otlp",
        "{endpoint: 'a:1', headers: {a: b, token: 'Bearer ${env:UNKNOWN}'}}",
    );
    defers(&headers, "exporters.otlp.headers.token", GRPC);
    let keys = with(Class::Processor, "batch", "{metadata_keys: [a, '${env:UNKNOWN}', b]}");
    defers(&keys, "processors.batch.metadata_keys[1]", GRPC);
    let checked = report_in(&keys, &partly).checked.unwrap();
    let Some(Component::Batch(batch)) = checked.component(Class::Processor, &id("batch")) else {
        panic!("no batch")
    };
    assert_eq!(batch.metadata_keys, ["a", "b"]);
    let labels = with(
        Class::Exporter,
        "prometheus",
        "{endpoint: ':1', const_labels: {a: '${env:UNKNOWN}'}}",
    );
    defers(&labels, "exporters.prometheus.const_labels.a", &["metrics", "otlp-grpc", "prometheus"]);
}

#[test]
fn what_stands_after_a_deferred_entry_keeps_its_place() {
    let text = with(Class::Processor, "batch", "{metadata_keys: ['${env:UNKNOWN}', 5]}");
    let expected = "processors.batch.metadata_keys[1]: 5 where a string is wanted [wrong-type]";
    assert_eq!(lines(&report_in(&text, &partly).problems), [expected]);
}

#[test]
fn certificates_may_be_known_later() {
    let server = |tls: &str| {
        with(Class::Receiver, "otlp", &format!("{{protocols: {{grpc: {{tls: {tls}}}}}}}"))
    };
    let path = "receivers.otlp.protocols.grpc.tls";
    for (tls, key) in [
        ("{cert_file: '${env:UNKNOWN}', key_file: k}", ".cert_file"),
        ("{cert_file: c, key_file: '${env:UNKNOWN}'}", ".key_file"),
        ("{cert_pem: '${env:UNKNOWN}', key_file: k}", ".cert_pem"),
        ("{cert_file: '${env:UNKNOWN}'}", ".cert_file"),
        ("'${env:UNKNOWN}'", ""),
    ] {
        defers(&server(tls), &format!("{path}{key}"), GRPC);
    }
    for key in ["ca_file", "ca_pem", "cert_file", "key_pem"] {
        let text = with(
            Class::Exporter,
            "jaeger",
            &format!("{{endpoint: 'a:1', tls: {{{key}: '${{env:UNKNOWN}}'}}}}"),
        );
        defers(&text, &format!("exporters.jaeger.tls.{key}"), GRPC);
    }
}

#[test]
fn a_whole_group_may_be_known_later() {
    let unknown = "'${env:UNKNOWN}'";
    let own = &["metrics"][..];
    defers(&with(Class::Receiver, "otlp", unknown), "receivers.otlp", own);
    defers(
        &with(Class::Receiver, "otlp", "{protocols: '${env:UNKNOWN}'}"),
        "receivers.otlp.protocols",
        own,
    );
    let path = "receivers.otlp.protocols.grpc";
    defers(&with(Class::Receiver, "otlp", "{protocols: {grpc: '${env:UNKNOWN}'}}"), path, own);
    defers(&with(Class::Exporter, "prometheus", unknown), "exporters.prometheus", GRPC);
    defers(&with(Class::Exporter, "otlphttp", unknown), "exporters.otlphttp", GRPC);
    defers(&with(Class::Processor, "memory_limiter", unknown), "processors.memory_limiter", GRPC);
    let queue =
        with(Class::Exporter, "jaeger", "{endpoint: 'a:1', sending_queue: '${env:UNKNOWN}'}");
    defers(&queue, "exporters.jaeger.sending_queue", GRPC);
}

#[test]
fn a_whole_section_may_be_known_later() {
    let section = "{receivers: '${env:UNKNOWN}', exporters: {nop: }, service: {pipelines: {traces: {receivers: [otlp, x/1], exporters: [nop]}}}}";
    defers(section, "receivers", &["metrics"]);
    defers(&with_service("pipelines: '${env:UNKNOWN}'"), "service.pipelines", GRPC);
    defers(
        &with_service("pipelines: {traces: '${env:UNKNOWN}'}"),
        "service.pipelines.traces",
        GRPC,
    );
    let names =
        with_service("pipelines: {traces: {receivers: ['${env:UNKNOWN}'], exporters: [nop]}}");
    defers(&names, "service.pipelines.traces.receivers[0]", GRPC);
    let list =
        with_service("pipelines: {traces: {receivers: [otlp], exporters: '${env:UNKNOWN}'}}");
    defers(&list, "service.pipelines.traces.exporters", GRPC);
    let extensions = with_service(&format!("extensions: '${{env:UNKNOWN}}', {TRACES}"))
        .replace("exporters: {nop: }", "exporters: {nop: }, extensions: {health_check: }");
    defers(&extensions, "service.extensions", &["health_check", "metrics", "otlp-grpc"]);
    let service =
        "{receivers: {otlp: {protocols: {grpc: }}}, exporters: {nop: }, service: '${env:UNKNOWN}'}";
    let (paths, listeners) = deferred(service);
    assert_eq!((paths, listeners), (vec!["service".to_owned()], vec!["otlp-grpc".to_owned()]));
}

#[test]
fn the_address_of_the_collectors_own_metrics_may_be_known_later() {
    let grpc = &["otlp-grpc"][..];
    let reader = |settings: &str| {
        format!("{{metrics: {{readers: [{{pull: {{exporter: {{prometheus: {settings}}}}}}}]}}}}")
    };
    let at = "service.telemetry.metrics.readers[0].pull.exporter.prometheus";
    for (telemetry, path, listeners) in [
        ("'${env:UNKNOWN}'".to_owned(), "service.telemetry".to_owned(), grpc),
        ("{metrics: '${env:UNKNOWN}'}".into(), "service.telemetry.metrics".into(), grpc),
        (
            "{metrics: {address: '${env:UNKNOWN}:8888'}}".into(),
            "service.telemetry.metrics.address".into(),
            grpc,
        ),
        (
            "{metrics: {readers: '${env:UNKNOWN}'}}".into(),
            "service.telemetry.metrics.readers".into(),
            grpc,
        ),
        (reader("'${env:UNKNOWN}'"), at.into(), grpc),
        (reader("{host: '${env:UNKNOWN}'}"), format!("{at}.host"), grpc),
        (reader("{port: '${env:UNKNOWN}'}"), format!("{at}.port"), grpc),
        (reader("{without_units: '${env:UNKNOWN}'}"), format!("{at}.without_units"), GRPC),
        ("{logs: {level: '${env:UNKNOWN}'}}".into(), "service.telemetry.logs.level".into(), GRPC),
    ] {
        defers(&with_service(&format!("telemetry: {telemetry}, {TRACES}")), &path, listeners);
    }
}

#[test]
fn what_can_be_seen_is_checked_all_the_same() {
    let text = with(
        Class::Exporter,
        "otlp",
        "{endpoint: '${env:UNKNOWN}', timeot: 1s, headers: {a: '${env:UNKNOWN}', b: [1]}}",
    );
    let expected = [
        "exporters.otlp.headers.b: a list where a string is wanted [wrong-type]",
        "exporters.otlp.timeot: unknown key; did you mean \"timeout\"? [unknown-key]",
    ];
    assert_eq!(lines(&report_in(&text, &partly).problems), expected);
}

#[test]
fn a_reference_that_is_spelt_wrong_is_one_problem_and_no_warning() {
    let report = report_in(&with(Class::Exporter, "jaeger", "{endpoint: '${file:x}'}"), &partly);
    let expected = "exporters.jaeger.endpoint: ${file:…} is not supported: only ${env:NAME} is [invalid-reference]";
    assert_eq!(lines(&report.problems), [expected]);
    assert_eq!(lines(&report.warnings), Vec::<String>::new());
}

#[test]
fn a_configuration_that_is_one_unknown_reference_is_refused() {
    let report = report_in("'${env:UNKNOWN}'", &partly);
    assert!(report.checked.is_none());
    let [problem] = report.problems.as_slice() else { panic!("{:?}", report.problems) };
    assert_eq!(problem.code, Code::InvalidReference);
    assert!(problem.message.contains("whole configuration"), "{problem}");
}
