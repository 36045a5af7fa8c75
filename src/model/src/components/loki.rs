//! The loki exporter (contrib exporter/lokiexporter v0.130, the last that had it).

use std::collections::BTreeMap;
use std::time::Duration;

use super::network::{ClientTls, Headers, Queue, Retry, above_zero};
use crate::decode::Decoder;
use crate::settings::{HttpUrl, settings};

settings! {
    /// Sends log records to Loki.
    pub struct Loki {
        /// Address of the push API, as it is (`/loki/api/v1/push`).
        endpoint: HttpUrl = HttpUrl::required(),
        /// TLS of an https address.
        tls: ClientTls = ClientTls::default(),
        /// Headers sent along; `X-Scope-OrgID` names the tenant.
        headers: Headers = Headers::new(),
        /// How long a request may take.
        timeout: Duration = Duration::from_secs(30),
        /// otelcol: bytes read at once; no effect here.
        read_buffer_size: u64 = 0,
        /// otelcol: bytes written at once; no effect here.
        write_buffer_size: u64 = 524_288,
        /// Which of the labels exporter, job, instance and level are made.
        default_labels_enabled: BTreeMap<String, bool> = BTreeMap::new(),
        /// When what failed is sent again.
        retry_on_failure: Retry = Retry::default(),
        /// What waits to be sent.
        sending_queue: Queue = Queue::default(),
        /// Most bytes of lines in one push; ours.
        max_request_bytes: u64 = 1_048_576,
        /// Longest line in bytes: Loki refuses longer ones (max_line_size, 256 KB); ours.
        max_line_size: u64 = 262_144,
    }
    check = loki;
}

fn loki(exporter: &Loki, d: &mut Decoder) {
    above_zero("max_request_bytes", exporter.max_request_bytes, d);
    above_zero("max_line_size", exporter.max_line_size, d);
}
