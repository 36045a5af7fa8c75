//! The jaeger exporter (contrib exporter/jaegerexporter v0.85, the last that had it).

use std::time::Duration;

use super::network::{
    ClientKeepalive, ClientTls, Compression, Headers, MAX_GRPC_REQUEST_BYTES, Queue, Retry,
    grpc_client,
};
use crate::decode::Decoder;
use crate::settings::{Target, settings};

settings! {
    /// Sends spans to Jaeger over gRPC (api_v2 PostSpans).
    pub struct Jaeger {
        /// Jaeger's gRPC address, by custom port 14250.
        endpoint: Target = Target::required(),
        /// TLS; on unless `tls.insecure`.
        tls: ClientTls = ClientTls::default(),
        /// How requests are compressed.
        compression: Compression = Compression::None,
        /// Headers sent along.
        headers: Headers = Headers::new(),
        /// Keepalive of the connection.
        keepalive: Option<ClientKeepalive> = None,
        /// How long a request may take.
        timeout: Duration = Duration::from_secs(5),
        /// otelcol: bytes read at once; no effect here.
        read_buffer_size: u64 = 32_768,
        /// otelcol: bytes written at once; no effect here.
        write_buffer_size: u64 = 524_288,
        /// otelcol: wait for a connection; no effect here, what fails is sent again.
        wait_for_ready: bool = false,
        /// otelcol: balancing over the addresses of a name; no effect here, all addresses are used.
        balancer_name: Option<String> = None,
        /// When what failed is sent again.
        retry_on_failure: Retry = Retry::default(),
        /// What waits to be sent.
        sending_queue: Queue = Queue::default(),
        /// Largest request in bytes; ours.
        max_request_bytes: u64 = MAX_GRPC_REQUEST_BYTES,
    }
    check = exporter;
}

fn exporter(exporter: &Jaeger, d: &mut Decoder) {
    grpc_client(exporter.compression, exporter.max_request_bytes, d);
}
