//! The prometheus exporter (contrib exporter/prometheusexporter).

use std::collections::BTreeMap;
use std::time::Duration;

use super::network::ServerTls;
use crate::decode::Decoder;
use crate::problem::Code;
use crate::settings::{ListenAddress, choice, settings};

settings! {
    /// Shows metrics on a page that Prometheus scrapes.
    pub struct Prometheus {
        /// Address to listen on; the page is /metrics.
        endpoint: ListenAddress = ListenAddress::required(),
        /// TLS; without it the port speaks plain HTTP.
        tls: Option<ServerTls> = None,
        /// Put before every name.
        namespace: String = String::new(),
        /// Labels of every series.
        const_labels: BTreeMap<String, String> = BTreeMap::new(),
        /// Send the time of each sample.
        send_timestamps: bool = false,
        /// Time after which a series that is not written any more ends.
        metric_expiration: Duration = Duration::from_secs(300),
        /// OpenMetrics always or never; unless given, when the scraper prefers it.
        enable_open_metrics: Option<bool> = None,
        /// Add unit and type to names; the old form of `translation_strategy`.
        add_metric_suffixes: Option<bool> = None,
        /// How names are made.
        translation_strategy: Option<TranslationStrategy> = None,
        /// Leave out the scope's labels.
        without_scope_info: bool = false,
        /// Resource attributes as labels.
        resource_to_telemetry_conversion: ResourceToTelemetry = ResourceToTelemetry::default(),
        /// Largest number of series; ours.
        series_limit: u64 = 100_000,
    }
    check = prometheus;
}

settings! {
    /// Resource attributes as labels.
    pub struct ResourceToTelemetry {
        /// Make every resource attribute a label.
        enabled: bool = false,
    }
}

choice! {
    /// How names are made (contrib pkg/translator/prometheus).
    pub enum TranslationStrategy {
        /// Special characters to underscores, with suffixes
        UnderscoreEscapingWithSuffixes = "UnderscoreEscapingWithSuffixes",
        /// Special characters to underscores, without suffixes
        UnderscoreEscapingWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes",
        /// Names as they are, with suffixes
        NoUtf8EscapingWithSuffixes = "NoUTF8EscapingWithSuffixes",
        /// Names as they are
        NoTranslation = "NoTranslation",
    }
}

fn prometheus(exporter: &Prometheus, d: &mut Decoder) {
    if exporter.add_metric_suffixes.is_some() {
        d.at("add_metric_suffixes", |d| {
            d.warning(Code::Renamed, "the old form of translation_strategy");
        });
    }
    for name in exporter.const_labels.keys() {
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            let message = format!("{name:?} is no name of a label");
            d.problem_at("const_labels", Code::InvalidValue, message);
        }
    }
    if exporter.series_limit == 0 {
        d.problem_at("series_limit", Code::InvalidValue, "must be above 0");
    }
}
