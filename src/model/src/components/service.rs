//! `service.telemetry`: the collector's own logs and metrics (otelcol service/telemetry).

use std::collections::BTreeMap;

use crate::Value;
use crate::decode::Decoder;
use crate::problem::Code;
use crate::settings::{ListenAddress, choice, settings};

settings! {
    /// The collector's own telemetry.
    pub struct Telemetry {
        /// Its logs.
        logs: TelemetryLogs = TelemetryLogs::default(),
        /// Its metrics.
        metrics: TelemetryMetrics = TelemetryMetrics::default(),
        /// Attributes of its own resource.
        resource: BTreeMap<String, Value> = BTreeMap::new(),
    }
}

settings! {
    /// The collector's logs.
    pub struct TelemetryLogs {
        /// Least severe messages written.
        level: LogLevel = LogLevel::Info,
        /// How they are written.
        encoding: LogEncoding = LogEncoding::Console,
        /// otelcol: stack traces; no effect here.
        development: bool = false,
        /// otelcol: leave out the caller; no effect here.
        disable_caller: bool = false,
        /// otelcol: leave out stack traces; no effect here.
        disable_stacktrace: bool = false,
    }
}

choice! {
    /// A severity.
    pub enum LogLevel {
        /// Everything
        Debug = "debug",
        /// What is worth knowing
        Info = "info",
        /// What may be wrong
        Warn = "warn",
        /// What is wrong
        Error = "error",
    }
}

choice! {
    /// How messages are written.
    pub enum LogEncoding {
        /// For people
        Console = "console",
        /// For programs
        Json = "json",
    }
}

settings! {
    /// The collector's metrics.
    pub struct TelemetryMetrics {
        /// How many of them are made.
        level: MetricsLevel = MetricsLevel::Normal,
        /// Where they are read; the old form of `readers`.
        address: Option<ListenAddress> = None,
        /// Where they are read.
        readers: Vec<Reader> = Vec::new(),
    }
    check = metrics;
}

choice! {
    /// How many metrics are made.
    pub enum MetricsLevel {
        /// None
        None = "none",
        /// The essential
        Basic = "basic",
        /// The usual
        Normal = "normal",
        /// All
        Detailed = "detailed",
    }
}

settings! {
    /// A way to read metrics.
    pub struct Reader {
        /// Prometheus asks.
        pull: Pull = Pull::default(),
    }
}

settings! {
    /// A page that Prometheus scrapes.
    pub struct Pull {
        /// Who asks.
        exporter: PullExporter = PullExporter::default(),
    }
}

settings! {
    /// Who asks.
    pub struct PullExporter {
        /// Prometheus.
        prometheus: PrometheusReader = PrometheusReader::default(),
    }
}

settings! {
    /// Where Prometheus asks.
    pub struct PrometheusReader {
        /// Host to listen on.
        host: String = "localhost".into(),
        /// Port to listen on.
        port: u32 = 8888,
        /// otelcol: leave out the scope's labels.
        without_scope_info: bool = false,
        /// otelcol: names without type.
        without_type_suffix: bool = false,
        /// otelcol: names without unit.
        without_units: bool = false,
    }
    check = reader;
}

fn metrics(metrics: &TelemetryMetrics, d: &mut Decoder) {
    if metrics.address.is_some() && !metrics.readers.is_empty() {
        d.problem_at("address", Code::InvalidValue, "address and readers exclude each other");
    } else if metrics.address.is_some() {
        // otelcol deprecated it in 0.111 and refuses it since 0.128.
        d.at("address", |d| d.warning(Code::Renamed, "the old form of readers"));
    }
}

fn reader(reader: &PrometheusReader, d: &mut Decoder) {
    if reader.port == 0 || reader.port > 65_535 {
        d.problem_at("port", Code::InvalidValue, "must be from 1 to 65535");
    }
}

impl TelemetryMetrics {
    /// The addresses of the pages: localhost:8888 unless something else is said.
    #[must_use]
    pub fn pages(&self) -> Vec<ListenAddress> {
        if self.level == MetricsLevel::None {
            return Vec::new();
        }
        if let Some(address) = &self.address {
            return vec![address.clone()];
        }
        if self.readers.is_empty() {
            return vec![ListenAddress::new("localhost", 8888)];
        }
        let readers = self.readers.iter().map(|reader| &reader.pull.exporter.prometheus);
        readers
            .map(|page| ListenAddress::new(&page.host, u16::try_from(page.port).unwrap_or(0)))
            .collect()
    }
}
