use super::*;

const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
    application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;\
    q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
const PROMETHEUS_2: &str = "application/openmetrics-text;version=1.0.0,\
    application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

#[test]
fn a_scraper_gets_what_it_prefers() {
    use Format::*;
    for (accept, enabled, format, utf8) in [
        (None, None, Text, false),
        (Some(""), None, Text, false),
        (Some("*/*"), Some(true), Text, false),
        (Some(PROMETHEUS_3), None, OpenMetrics, true),
        (Some(PROMETHEUS_3), Some(true), OpenMetrics, true),
        (Some(PROMETHEUS_3), Some(false), Text, true),
        (Some(PROMETHEUS_2), None, OpenMetrics, false),
        (Some("text/plain, application/openmetrics-text;q=0.5"), None, Text, false),
        (Some("text/plain;q=0.5, application/openmetrics-text"), None, OpenMetrics, false),
        (Some("application/openmetrics-text;q=0, text/plain;q=0.1"), None, Text, false),
        (Some("application/openmetrics-text;version=2.0.0"), None, Text, false),
        (Some("application/openmetrics-text;version=\"1.0.0\""), None, OpenMetrics, false),
        (Some("text/plain;version=0.0.4;escaping=underscores"), None, Text, false),
        (Some(";;q,==,text/plain;q=x"), None, Text, false),
    ] {
        let got = negotiate(accept, enabled);
        assert_eq!((got.format, got.utf8), (format, utf8), "{accept:?} {enabled:?}");
    }
}

#[test]
fn the_content_type_tells_what_it_is() {
    for (accept, told) in [
        ("", "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"),
        (
            PROMETHEUS_3,
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8",
        ),
        (
            "application/openmetrics-text",
            "application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores",
        ),
    ] {
        assert_eq!(negotiate(Some(accept), None).content_type(), told);
    }
}
