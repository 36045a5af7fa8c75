//! Settings that depend on one another.

use super::*;

/// What is said of a component with these settings, without its own path.
fn said(class: Class, name: &str, settings: &str) -> Vec<String> {
    let path = format!("{}.{name}", class.section());
    let problems = report(&with(class, name, settings)).problems;
    lines(&problems)
        .iter()
        .map(|line| line.strip_prefix(&path).unwrap_or(line).to_owned())
        .collect()
}

fn table(class: Class, name: &str, rows: &[(&str, &str)]) {
    for (settings, expected) in rows {
        let expected: &[&str] = if expected.is_empty() { &[] } else { &[expected] };
        assert_eq!(said(class, name, settings), expected, "{name}: {settings}");
    }
}

#[test]
fn memory_limiter_needs_an_interval_and_a_limit_above_its_spike() {
    table(
        Class::Processor,
        "memory_limiter",
        &[
            ("{check_interval: 1s, limit_mib: 100}", ""),
            ("{check_interval: 1s, limit_mib: 100, spike_limit_mib: 99}", ""),
            ("{check_interval: 1s, limit_percentage: 100, spike_limit_percentage: 99}", ""),
            ("{check_interval: 1s, limit_mib: 100, limit_percentage: 50}", ""),
            ("{limit_mib: 100}", ".check_interval: must be given, and above 0 [missing]"),
            (
                "{check_interval: 0s, limit_mib: 100}",
                ".check_interval: must be given, and above 0 [missing]",
            ),
            ("{check_interval: 1s}", ": limit_mib or limit_percentage must be given [missing]"),
            (
                "{check_interval: 1s, limit_mib: 0}",
                ": limit_mib or limit_percentage must be given [missing]",
            ),
            (
                "{check_interval: 1s, limit_mib: 100, spike_limit_mib: 100}",
                ".spike_limit_mib: must be below limit_mib [invalid-value]",
            ),
            (
                "{check_interval: 1s, limit_percentage: 101}",
                ".limit_percentage: must be from 1 to 100 [invalid-value]",
            ),
            (
                "{check_interval: 1s, limit_percentage: 50, spike_limit_percentage: 50}",
                ".spike_limit_percentage: must be below limit_percentage [invalid-value]",
            ),
            (
                "{check_interval: 1s, limit_mib: 9, spike_limit_percentage: 101}",
                ".spike_limit_percentage: must be below limit_percentage [invalid-value]",
            ),
        ],
    );
}

#[test]
fn a_batch_is_at_most_as_large_as_its_limit() {
    table(
        Class::Processor,
        "batch",
        &[
            ("{send_batch_size: 10, send_batch_max_size: 10}", ""),
            ("{send_batch_size: 10, send_batch_max_size: 0}", ""),
            ("{timeout: 0, send_batch_size: 0, send_batch_max_size: 5}", ""),
            (
                "{send_batch_max_size: 8191}",
                ".send_batch_max_size: is below send_batch_size [invalid-value]",
            ),
            ("{metadata_keys: [a, b]}", ""),
            (
                "{metadata_keys: [a, b, A]}",
                ".metadata_keys: key 3 stands twice, whatever its case [invalid-value]",
            ),
        ],
    );
}

#[test]
fn a_client_has_a_whole_certificate_or_none() {
    let rows = [
        ("{insecure: true}", ""),
        ("{cert_file: c, key_file: k}", ""),
        ("{cert_pem: c, key_file: k, ca_file: a}", ""),
        ("{min_version: '1.3', max_version: '1.3'}", ""),
        ("{cert_file: c}", ": a certificate and its key are given together [missing]"),
        ("{key_pem: k}", ": a certificate and its key are given together [missing]"),
        ("{ca_file: a, ca_pem: b}", ": ca_file and ca_pem exclude each other [invalid-value]"),
        (
            "{cert_file: c, cert_pem: c, key_file: k}",
            ": cert_file and cert_pem exclude each other [invalid-value]",
        ),
        (
            "{cert_file: c, key_file: k, key_pem: k}",
            ": key_file and key_pem exclude each other [invalid-value]",
        ),
        (
            "{min_version: '1.3', max_version: '1.2'}",
            ".min_version: is above max_version [invalid-value]",
        ),
        (
            "{min_version: '1.1'}",
            ".min_version: \"1.1\" is none of \"1.2\", \"1.3\" [invalid-value]",
        ),
        ("{client_ca_file: x}", ".client_ca_file: unknown key [unknown-key]"),
    ];
    for (tls, expected) in rows {
        let expected = if expected.is_empty() { String::new() } else { format!(".tls{expected}") };
        table(
            Class::Exporter,
            "jaeger",
            &[(&format!("{{endpoint: 'a:1', tls: {tls}}}"), &expected)],
        );
    }
}

#[test]
fn a_server_needs_a_certificate() {
    let rows = [
        ("", ""),
        ("{cert_file: c, key_file: k, client_ca_file: a}", ""),
        ("{}", ": a server needs a certificate: cert_file and key_file [missing]"),
        ("{client_ca_file: a}", ": a server needs a certificate: cert_file and key_file [missing]"),
        ("{cert_file: c}", ": a certificate and its key are given together [missing]"),
        (
            "{cert_file: c, cert_pem: c, key_file: k}",
            ": cert_file and cert_pem exclude each other [invalid-value]",
        ),
        (
            "{cert_file: c, key_file: k, min_version: '1.3', max_version: '1.2'}",
            ".min_version: is above max_version [invalid-value]",
        ),
    ];
    for (tls, expected) in rows {
        let at = |path: &str| {
            if expected.is_empty() { String::new() } else { format!("{path}{expected}") }
        };
        table(
            Class::Receiver,
            "otlp",
            &[(&format!("{{protocols: {{http: {{tls: {tls}}}}}}}"), &at(".protocols.http.tls"))],
        );
        table(Class::Extension, "health_check", &[(&format!("{{tls: {tls}}}"), &at(".tls"))]);
    }
    let text =
        with(Class::Receiver, "otlp", "{protocols: {http: {tls: {cert_file: c, key_file: k}}}}");
    assert!(accepted(&text).listeners().iter().any(|l| l.name == "otlp-http" && l.tls));
}

#[test]
fn waits_of_a_retry_fit_one_another() {
    let rows = [
        ("{initial_interval: 1s, max_interval: 1s, max_elapsed_time: 0}", ""),
        ("{randomization_factor: 0, multiplier: 1}", ""),
        (
            "{randomization_factor: 1.1}",
            ".randomization_factor: must be from 0 to 1 [invalid-value]",
        ),
        (
            "{randomization_factor: -0.1}",
            ".randomization_factor: must be from 0 to 1 [invalid-value]",
        ),
        (
            "{randomization_factor: .nan}",
            ".randomization_factor: must be from 0 to 1 [invalid-value]",
        ),
        ("{multiplier: 0.9}", ""),
        ("{multiplier: -0.1}", ".multiplier: must not be negative [invalid-value]"),
        ("{multiplier: .nan}", ".multiplier: must not be negative [invalid-value]"),
        ("{max_interval: 1s}", ""),
        ("{initial_interval: 60s}", ""),
        ("{max_elapsed_time: 10s}", ".max_elapsed_time: is below max_interval [invalid-value]"),
        (
            "{max_interval: 1s, max_elapsed_time: 2s}",
            ".max_elapsed_time: is below initial_interval [invalid-value]",
        ),
        ("{enabled: false, multiplier: 0, max_interval: 1s}", ""),
    ];
    for (retry, expected) in rows {
        let expected = if expected.is_empty() {
            String::new()
        } else {
            format!(".retry_on_failure{expected}")
        };
        table(
            Class::Exporter,
            "otlp",
            &[(&format!("{{endpoint: 'a:1', retry_on_failure: {retry}}}"), &expected)],
        );
    }
}

#[test]
fn a_queue_has_room_and_somebody_to_empty_it() {
    let rows = [
        ("{queue_size: 1, num_consumers: 1, sizer: bytes, batch: {min_size: 5, max_size: 5}}", ""),
        ("{enabled: false, queue_size: 0, num_consumers: 0}", ""),
        ("{queue_size: 0}", ".queue_size: must be above 0 [invalid-value]"),
        ("{num_consumers: 0}", ".num_consumers: must be above 0 [invalid-value]"),
        ("{storage: file_storage}", ".storage: no storage extension is built in [undefined]"),
        ("{batch: {max_size: 1}}", ".batch.max_size: is below min_size [invalid-value]"),
        (
            "{sizer: kilos}",
            ".sizer: \"kilos\" is none of \"requests\", \"items\", \"bytes\" [invalid-value]",
        ),
    ];
    for (queue, expected) in rows {
        let expected =
            if expected.is_empty() { String::new() } else { format!(".sending_queue{expected}") };
        table(
            Class::Exporter,
            "loki",
            &[(&format!("{{endpoint: 'http://a', sending_queue: {queue}}}"), &expected)],
        );
    }
}

#[test]
fn an_action_has_what_its_kind_needs_and_no_more() {
    let one = "needs exactly one of value, from_attribute and from_context [missing]";
    let rows: Vec<(String, String)> = [
        ("{key: a, action: insert, value: 1}", String::new()),
        ("{key: a, action: insert, value: [1, {b: c}]}", String::new()),
        ("{key: a, action: update, from_attribute: b, default_value: c}", String::new()),
        ("{key: a, action: upsert, from_context: b}", String::new()),
        ("{key: a, action: delete}", String::new()),
        ("{action: delete, pattern: '^a'}", String::new()),
        ("{key: a, action: hash}", String::new()),
        ("{action: hash, pattern: '^a'}", String::new()),
        ("{key: a, action: extract, pattern: '(?P<b>.)'}", String::new()),
        ("{key: a, action: convert, converted_type: int}", String::new()),
        ("{key: a, action: UPSERT, value: 1}", String::new()),
        (
            "{key: a, action: insert, value: 1, pattern: x}",
            ".pattern: has no meaning for insert [invalid-value]".into(),
        ),
        (
            "{key: a, action: convert, converted_type: int, pattern: x}",
            ".pattern: has no meaning for convert [invalid-value]".into(),
        ),
        (
            "{key: a, action: hash, converted_type: int}",
            ".converted_type: has no meaning for hash [invalid-value]".into(),
        ),
        ("{key: a, action: insert}", format!(": insert {one}")),
        ("{key: a, action: update, value: 1, from_attribute: b}", format!(": update {one}")),
        ("{key: a, action: upsert, from_attribute: b, from_context: c}", format!(": upsert {one}")),
        ("{key: a, action: upsert, value: }", format!(": upsert {one}")),
        ("{action: insert, value: 1}", ".key: must be given [missing]".into()),
        ("{action: delete}", ".key: must be given [missing]".into()),
        ("{action: extract, pattern: x}", ".key: must be given [missing]".into()),
        ("{key: a}", ".action: must be given [missing]".into()),
        (
            "{key: a, action: extract}",
            ".pattern: extract needs a pattern with named groups [missing]".into(),
        ),
        ("{key: a, action: convert}", ".converted_type: convert needs a type [missing]".into()),
        ("{key: a, action: delete, value: 1}", ": delete takes no value [invalid-value]".into()),
        (
            "{key: a, action: hash, from_attribute: b}",
            ": hash takes no value [invalid-value]".into(),
        ),
        (
            "{key: a, action: extract, pattern: x, value: 1}",
            ": extract takes no value [invalid-value]".into(),
        ),
        (
            "{key: a, action: convert, converted_type: int, value: 1}",
            ": convert takes no value [invalid-value]".into(),
        ),
    ]
    .map(|(action, expected)| (action.to_owned(), expected))
    .into();
    for (action, expected) in rows {
        let at = |list: &str| {
            if expected.is_empty() { String::new() } else { format!(".{list}[0]{expected}") }
        };
        table(
            Class::Processor,
            "attributes",
            &[(&format!("{{actions: [{action}]}}"), &at("actions"))],
        );
        table(
            Class::Processor,
            "resource",
            &[(&format!("{{attributes: [{action}]}}"), &at("attributes"))],
        );
    }
    table(
        Class::Processor,
        "attributes",
        &[
            ("", ".actions: at least one action must be given [missing]"),
            ("{actions: []}", ".actions: at least one action must be given [missing]"),
        ],
    );
    table(
        Class::Processor,
        "resource",
        &[("{}", ".attributes: at least one action must be given [missing]")],
    );
}

#[test]
fn a_match_says_how_and_what() {
    let with_match =
        |matching: &str| format!("{{actions: [{{key: a, action: delete}}], exclude: {matching}}}");
    for (matching, expected) in [
        ("{match_type: strict, services: [a]}", ""),
        ("{match_type: regexp, resources: [{key: a}]}", ""),
        ("{services: [a]}", ".exclude.match_type: must be given: strict or regexp [missing]"),
        ("{match_type: strict}", ".exclude: at least one thing to match must be given [missing]"),
        (
            "{match_type: strict, span_names: []}",
            ".exclude: at least one thing to match must be given [missing]",
        ),
        (
            "{match_type: glob, services: [a]}",
            ".exclude.match_type: \"glob\" is none of \"strict\", \"regexp\" [invalid-value]",
        ),
    ] {
        table(Class::Processor, "attributes", &[(&with_match(matching), expected)]);
    }
}

#[test]
fn an_otlp_receiver_speaks_something_on_paths_of_their_own() {
    table(
        Class::Receiver,
        "otlp",
        &[
            (
                "",
                ".protocols: name at least one of grpc and http, as in \"grpc: {}\": kubectl apply drops empty values [missing]",
            ),
            (
                "{protocols: }",
                ".protocols: name at least one of grpc and http, as in \"grpc: {}\": kubectl apply drops empty values [missing]",
            ),
            (
                "{protocols: {}}",
                ".protocols: name at least one of grpc and http, as in \"grpc: {}\": kubectl apply drops empty values [missing]",
            ),
            ("{protocols: {grpc: }}", ""),
            ("{protocols: {http: }}", ""),
            (
                "{protocols: {grpc: {max_recv_msg_size_mib: 0}}}",
                ".protocols.grpc.max_recv_msg_size_mib: must be from 1 to 1024 [invalid-value]",
            ),
            (
                "{protocols: {grpc: {max_recv_msg_size_mib: 1025}}}",
                ".protocols.grpc.max_recv_msg_size_mib: must be from 1 to 1024 [invalid-value]",
            ),
            (
                "{protocols: {http: {max_request_body_size: 0}}}",
                ".protocols.http.max_request_body_size: must be above 0 [invalid-value]",
            ),
            (
                "{protocols: {http: {logs_url_path: logs}}}",
                ".protocols.http.logs_url_path: must begin with a slash [invalid-value]",
            ),
            (
                "{protocols: {http: {logs_url_path: /v1/traces}}}",
                ".protocols.http.logs_url_path: is another signal's path as well [invalid-value]",
            ),
        ],
    );
}

#[test]
fn an_otlphttp_exporter_has_an_address_for_every_signal_that_reaches_it() {
    table(
        Class::Exporter,
        "otlphttp",
        &[
            ("{endpoint: 'http://a'}", ""),
            ("{traces_endpoint: 'http://a/x'}", ""),
            ("{}", ".endpoint: must be given [missing]"),
            (
                "{logs_endpoint: 'http://a'}",
                ": traces reach this exporter: give traces_endpoint or endpoint [missing]",
            ),
            (
                "{endpoint: 'a:1'}",
                ".endpoint: \"a:1\" is no URL: http:// or https:// and a host [invalid-value]",
            ),
        ],
    );
    let text = with(Class::Exporter, "otlphttp", "{traces_endpoint: 'http://a'}")
        .replace("traces: {", "logs: {receivers: [otlp], exporters: [otlphttp]}, traces: {");
    let expected =
        "exporters.otlphttp: logs reach this exporter: give logs_endpoint or endpoint [missing]";
    assert_eq!(lines(&report(&text).problems), [expected]);
    // A mistake elsewhere does not hide this one.
    let text = with(Class::Exporter, "otlphttp", "").replace("grpc: }", "grpc: {endpoint: x}}");
    assert_eq!(report(&text).problems.len(), 2, "{:?}", report(&text).problems);
}

#[test]
fn a_prometheus_page_has_labels_that_prometheus_takes() {
    table(
        Class::Exporter,
        "prometheus",
        &[
            ("{endpoint: ':1', const_labels: {a_1: x, _b: y}}", ""),
            (
                "{endpoint: ':1', const_labels: {a-b: x}}",
                ".const_labels: \"a-b\" is no name of a label [invalid-value]",
            ),
            (
                "{endpoint: ':1', const_labels: {'1a': x}}",
                ".const_labels: \"1a\" is no name of a label [invalid-value]",
            ),
            (
                "{endpoint: ':1', const_labels: {'': x}}",
                ".const_labels: \"\" is no name of a label [invalid-value]",
            ),
            ("{endpoint: ':1', series_limit: 0}", ".series_limit: must be above 0 [invalid-value]"),
        ],
    );
    let report = report(&with(
        Class::Exporter,
        "prometheus",
        "{endpoint: ':1', add_metric_suffixes: false}",
    ));
    let expected =
        "exporters.prometheus.add_metric_suffixes: the old form of translation_strategy [renamed]";
    assert_eq!(lines(&report.warnings), [expected]);
    assert!(report.checked.is_some());
}

#[test]
fn what_an_exporter_sends_has_a_size_and_a_compression_it_knows() {
    let grpc = |compression: &str| format!("{{endpoint: 'a:1', compression: {compression}}}");
    let no_bytes = ".max_request_bytes: must be above 0 [invalid-value]";
    for name in ["jaeger", "otlp"] {
        for known in ["gzip", "snappy", "zstd", "none", "''"] {
            table(Class::Exporter, name, &[(&grpc(known), "")]);
        }
        for unknown in ["zlib", "deflate"] {
            let expected = format!(
                ".compression: \"{unknown}\" is not for gRPC; gRPC has gzip, snappy and zstd [invalid-value]"
            );
            table(Class::Exporter, name, &[(&grpc(unknown), &expected)]);
        }
        table(Class::Exporter, name, &[("{endpoint: 'a:1', max_request_bytes: 0}", no_bytes)]);
    }
    let no_line = ".max_line_size: must be above 0 [invalid-value]";
    let rows = [
        ("{endpoint: 'http://a', max_request_bytes: 0}", no_bytes),
        ("{endpoint: 'http://a', max_line_size: 0}", no_line),
    ];
    table(Class::Exporter, "loki", &rows);
    let rows = [
        ("{endpoint: 'http://a', max_request_bytes: 0}", no_bytes),
        ("{endpoint: 'http://a', compression: zlib}", ""),
    ];
    table(Class::Exporter, "otlphttp", &rows);
}

#[test]
fn the_old_address_of_the_collectors_metrics_still_works() {
    let report =
        report(&with_service(&format!("telemetry: {{metrics: {{address: ':1'}}}}, {TRACES}")));
    let expected = "service.telemetry.metrics.address: the old form of readers [renamed]";
    assert_eq!(lines(&report.warnings), [expected]);
    assert!(report.checked.is_some());
}

#[test]
fn the_collectors_metrics_have_one_kind_of_address() {
    let reader = "readers: [{pull: {exporter: {prometheus: {port: PORT}}}}]";
    for (metrics, expected) in [
        (
            format!("{{address: ':1', {}}}", reader.replace("PORT", "2")),
            ".address: address and readers exclude each other [invalid-value]",
        ),
        (
            format!("{{{}}}", reader.replace("PORT", "0")),
            ".readers[0].pull.exporter.prometheus.port: must be from 1 to 65535 [invalid-value]",
        ),
        (
            format!("{{{}}}", reader.replace("PORT", "65536")),
            ".readers[0].pull.exporter.prometheus.port: must be from 1 to 65535 [invalid-value]",
        ),
    ] {
        let report = report(&with_service(&format!("telemetry: {{metrics: {metrics}}}, {TRACES}")));
        assert_eq!(
            lines(&report.problems),
            [format!("service.telemetry.metrics{expected}")],
            "{metrics}"
        );
    }
}
