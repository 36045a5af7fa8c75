//! What a variable holds is in no message, whatever is wrong with it.

use super::*;

const SECRET: &str = "hunter2";

/// Everything that could be printed of a report, but for the components themselves.
fn printed(report: &Report) -> String {
    let all = report.problems.iter().chain(&report.warnings);
    all.map(|problem| format!("{problem} {problem:?} {problem:#?}\n")).collect()
}

fn tells_nothing(text: &str, held: &str) {
    let world = |name: &str| match name {
        "S" => Answer::Value(held.to_owned()),
        _ => Answer::Unset,
    };
    let report = report_in(text, &world);
    let printed = printed(&report);
    assert!(!printed.contains(SECRET), "{text} with {held}: {printed}");
}

/// Shapes in which a secret may come.
const HELD: &[&str] = &[
    "hunter2",
    "[hunter2]",
    "[hunter2, hunter2]",
    "{hunter2: hunter2}",
    "[{hunter2: hunter2}]",
    "{key: [hunter2]}",
    "hunter2: [",
    "{otlp: {hunter2: 1}}",
    "{traces: {receivers: [hunter2], hunter2: 1}}",
    "[{key: hunter2, action: hunter2}]",
    "{hunter2: {protocols: {grpc: {endpoint: ':4317'}}}}",
    "hunter2:4317",
    "http://hunter2:x",
    "{grpc: {endpoint: hunter2}}",
];

#[test]
fn no_value_of_any_shape_in_any_place_is_told() {
    let unknown = "'${env:S}'";
    let mut places = vec![
        unknown.to_owned(),
        "{receivers: '${env:S}', exporters: {nop: }, service: {pipelines: {traces: {receivers: [hunter], exporters: [nop]}}}}".into(),
        "{receivers: '${env:S}', exporters: {prometheus: {endpoint: ':4317'}}, service: {pipelines: {metrics: {receivers: [otlp], exporters: [prometheus]}}}}".into(),
        "{receivers: {otlp: {protocols: {grpc: }}}, exporters: {nop: }, service: '${env:S}'}".into(),
        with_service("pipelines: '${env:S}'"),
        with_service("pipelines: {traces: '${env:S}'}"),
        with_service("pipelines: {traces: {receivers: '${env:S}', exporters: ['${env:S}', '${env:S}']}}"),
        with_service("extensions: ['${env:S}']"),
        with_service("telemetry: '${env:S}'"),
        with_service("telemetry: {metrics: {readers: '${env:S}', level: '${env:S}'}, resource: {a: '${env:S}'}}"),
    ];
    for entry in CATALOGUE_CLASSES {
        for key in find(entry.0, entry.1).map(|e| (e.keys)()).unwrap_or_default() {
            let whole = key
                .key
                .rsplit('.')
                .fold(unknown.to_owned(), |body, key| format!("{{{key}: {body}}}"));
            let first = key.key.split('.').next().unwrap();
            places.push(with(entry.0, entry.1, &whole));
            places.push(with(entry.0, entry.1, &format!("{{{first}: {unknown}}}")));
            places.push(with(entry.0, entry.1, &format!("{{{first}: [{unknown}, {unknown}]}}")));
            places.push(with(
                entry.0,
                entry.1,
                &format!("{{{first}: {{a: {unknown}, hunter: 1}}}}"),
            ));
        }
        places.push(with(entry.0, entry.1, unknown));
    }
    assert!(places.len() > 300);
    for place in places {
        for held in HELD {
            tells_nothing(&place, held);
        }
    }
}

const CATALOGUE_CLASSES: &[(Class, &str)] = &[
    (Class::Receiver, "otlp"),
    (Class::Processor, "batch"),
    (Class::Processor, "memory_limiter"),
    (Class::Processor, "resource"),
    (Class::Processor, "attributes"),
    (Class::Exporter, "jaeger"),
    (Class::Exporter, "prometheus"),
    (Class::Exporter, "loki"),
    (Class::Exporter, "otlp"),
    (Class::Exporter, "otlphttp"),
    (Class::Exporter, "debug"),
    (Class::Extension, "health_check"),
];

#[test]
fn a_problem_inside_a_value_is_told_of_the_whole() {
    let world = |_: &str| Answer::Value("{hunter2: 1}".into());
    let report =
        report_in(&with(Class::Exporter, "jaeger", "{endpoint: 'a:1', tls: '${env:S}'}"), &world);
    let expected = "exporters.jaeger.tls: the value of \"${env:S}\" is not right [unknown-key]";
    assert_eq!(lines(&report.problems), [expected]);
    let world = |_: &str| Answer::Value("hunter2".into());
    let report = report_in(
        &with_service("pipelines: {traces: {receivers: [otlp], exporters: [nop, '${env:S}']}}"),
        &world,
    );
    let expected =
        "service.pipelines.traces.exporters[1]: the value of \"${env:S}\" is not right [undefined]";
    assert_eq!(lines(&report.problems), [expected]);
}

#[test]
fn a_checked_configuration_does_not_show_its_secrets() {
    let world = |_: &str| Answer::Value(SECRET.into());
    let tls = "tls: {cert_pem: '${env:S}', key_pem: hunter2, ca_pem: hunter2}";
    let text = with(
        Class::Exporter,
        "otlp",
        &format!("{{endpoint: 'a:1', headers: {{token: '${{env:S}}', other: hunter2}}, {tls}}}"),
    );
    let attributes = with(
        Class::Processor,
        "resource",
        "{attributes: [{key: a, action: upsert, value: '${env:S}'}]}",
    );
    for text in [text, attributes] {
        let report = report_in(&text, &world);
        let debug = format!("{report:?} {:#?}", report.checked.clone().unwrap());
        assert!(!debug.contains(SECRET), "{debug}");
    }
}
