//! The otlphttp exporter (otelcol exporter/otlphttpexporter; `otlp_http` since 2026).

use std::time::Duration;

use super::network::{ClientTls, Compression, Headers, Queue, Retry, above_zero};
use crate::decode::Decoder;
use crate::problem::Code;
use crate::settings::{HttpUrl, choice, settings};

settings! {
    /// Sends OTLP over HTTP.
    pub struct OtlpHttpExporter {
        /// Base address; `/v1/traces` and so on are added.
        endpoint: Option<HttpUrl> = None,
        /// Whole address of traces, instead.
        traces_endpoint: Option<HttpUrl> = None,
        /// Whole address of metrics, instead.
        metrics_endpoint: Option<HttpUrl> = None,
        /// Whole address of logs, instead.
        logs_endpoint: Option<HttpUrl> = None,
        /// How requests are encoded.
        encoding: Encoding = Encoding::Proto,
        /// TLS of an https address.
        tls: ClientTls = ClientTls::default(),
        /// How requests are compressed.
        compression: Compression = Compression::Gzip,
        /// Headers sent along.
        headers: Headers = Headers::new(),
        /// otelcol: proxy to send through; not built in.
        proxy_url: Option<HttpUrl> = None,
        /// How long a request may take.
        timeout: Duration = Duration::from_secs(30),
        /// otelcol: bytes read at once; no effect here.
        read_buffer_size: u64 = 0,
        /// otelcol: bytes written at once; no effect here.
        write_buffer_size: u64 = 524_288,
        /// Idle connections kept.
        max_idle_conns: u32 = 100,
        /// otelcol: idle connections kept for one host; no effect here, there is one host.
        max_idle_conns_per_host: u32 = 0,
        /// otelcol: connections to one host; no effect here, as many as requests under way.
        max_conns_per_host: u32 = 0,
        /// How long an idle connection is kept.
        idle_conn_timeout: Duration = Duration::from_secs(90),
        /// A connection for every request.
        disable_keep_alives: bool = false,
        /// When what failed is sent again.
        retry_on_failure: Retry = Retry::default(),
        /// What waits to be sent.
        sending_queue: Queue = Queue::default(),
        /// Largest request in bytes before compression; ours.
        max_request_bytes: u64 = 20_971_520,
    }
    check = otlphttp;
}

choice! {
    /// How requests are encoded.
    pub enum Encoding {
        /// Protobuf
        Proto = "proto",
        /// JSON
        Json = "json",
    }
}

/// Which signals need an address is known only to the pipelines; none at all is wrong anyway.
fn otlphttp(exporter: &OtlpHttpExporter, d: &mut Decoder) {
    above_zero("max_request_bytes", exporter.max_request_bytes, d);
    if exporter.proxy_url.is_some() {
        d.problem_at("proxy_url", Code::InvalidValue, "sending through a proxy is not built in");
    }
    const KEYS: [&str; 4] = ["endpoint", "traces_endpoint", "metrics_endpoint", "logs_endpoint"];
    let given = [
        &exporter.endpoint,
        &exporter.traces_endpoint,
        &exporter.metrics_endpoint,
        &exporter.logs_endpoint,
    ];
    let unsettled = KEYS.iter().any(|key| d.is_unsettled(key));
    if given.iter().all(|endpoint| endpoint.is_none()) && !unsettled {
        d.problem_at("endpoint", Code::Missing, "must be given");
    }
}
