use super::*;

fn namer(strategy: Option<TranslationStrategy>, namespace: &str) -> Namer {
    Namer::new(&Prometheus {
        translation_strategy: strategy,
        namespace: namespace.to_owned(),
        ..super::super::make::settings()
    })
}

/// Expectations from otlptranslator's README and its rules; the oracle test compares the rest.
#[test]
fn names_get_units_and_suffixes() {
    let namer = namer(None, "");
    for (name, unit, suffix, made) in [
        ("http.server.request.duration", "s", Suffix::None, "http_server_request_duration_seconds"),
        ("requests", "{request}", Suffix::Total, "requests_total"),
        ("requests.total", "1", Suffix::Total, "requests_total"),
        ("total.requests", "", Suffix::Total, "requests_total"),
        ("cpu.utilization", "1", Suffix::Ratio, "cpu_utilization_ratio"),
        ("disk.io", "By/s", Suffix::Ratio, "disk_io_bytes_per_second"),
        ("disk.bytes", "By", Suffix::None, "disk_bytes"),
        ("speed", "m/{turn}", Suffix::None, "speed_meters"),
        ("rate", "/min", Suffix::None, "rate_per_min"),
        ("rate", "/m", Suffix::None, "rate_per_minute"),
        ("a__b..c", "", Suffix::None, "a_b_c"),
        ("5xx", "", Suffix::None, "_5xx"),
        ("x", "kW·h", Suffix::None, "x_kW_h"),
        ("temp:now", "Cel", Suffix::None, "temp:now_celsius"),
    ] {
        assert_eq!(namer.metric(name, unit, suffix).as_deref(), Some(made), "{name} {unit}");
    }
    assert_eq!(namer.metric("", "", Suffix::None), None);
    assert_eq!(namer.metric("ü", "", Suffix::None), None);
    assert_eq!(namer.metric("__", "", Suffix::None), None);
}

#[test]
fn each_strategy_makes_its_own_names() {
    use TranslationStrategy::*;
    for (strategy, made) in [
        (UnderscoreEscapingWithSuffixes, "ns_http_server_ms_milliseconds_total"),
        (UnderscoreEscapingWithoutSuffixes, "ns_http_server__ms"),
        (NoUtf8EscapingWithSuffixes, "ns_http.server__ms_milliseconds_total"),
        (NoTranslation, "ns_http.server__ms"),
    ] {
        let namer = namer(Some(strategy), "ns");
        let name = namer.metric("http.server__ms", "ms", Suffix::Total);
        assert_eq!(name.as_deref(), Some(made));
        assert_eq!(namer.target_info(), "ns_target_info");
    }
    let utf8 = namer(Some(NoUtf8EscapingWithSuffixes), "");
    for (name, unit, suffix, made) in [
        ("a.total", "s", Suffix::Total, "a_seconds_total"),
        ("a_per_second", "By/s", Suffix::Ratio, "a_bytes_per_second"),
        ("hit ratio", "1", Suffix::Ratio, "hit_ratio"),
        ("total", "", Suffix::Total, "total_total"),
    ] {
        assert_eq!(utf8.metric(name, unit, suffix).as_deref(), Some(made), "{name} {unit}");
    }
}

#[test]
fn the_old_form_of_the_strategy_still_counts() {
    let settings =
        Prometheus { add_metric_suffixes: Some(false), ..super::super::make::settings() };
    assert_eq!(Namer::new(&settings).metric("a.b", "s", Suffix::Total).as_deref(), Some("a_b"));
}

#[test]
fn labels_are_sanitised() {
    let namer = namer(None, "");
    for (key, made) in [
        ("http.method", Some("http_method")),
        ("a  b", Some("a__b")),
        ("1st", Some("key_1st")),
        ("_x", Some("_x")),
        ("ключ1", Some("____1")),
        ("", None),
        ("..", None),
        ("__name__", None),
    ] {
        let made = made.filter(|name| !name.starts_with("__"));
        assert_eq!(namer.label(key).as_deref(), made, "{key}");
    }
}

#[test]
fn escaping_gives_what_every_server_reads() {
    for (name, made) in [("a.b", "a_b"), ("1a", "_a"), ("ok:1", "ok:1"), ("é", "_"), ("1.é", "___")]
    {
        assert_eq!(escaped(name), made);
        assert!(is_legacy_metric(&escaped(name)));
        assert!(is_legacy_label(&escaped_label(name)));
    }
}
