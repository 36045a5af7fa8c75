//! What network components share: TLS, keepalive, retry, queue (otelcol config/configtls,
//! config/configgrpc, exporter/exporterhelper).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::decode::Decoder;
use crate::environment::join;
use crate::problem::{Code, Problem};
use crate::settings::{Secret, choice, settings};

/// Headers sent along; their values may be secrets.
pub type Headers = BTreeMap<String, Secret>;

/// Largest gRPC request sent by default: backends stop at 4 MiB, and framing needs room.
pub const MAX_GRPC_REQUEST_BYTES: u64 = 3_670_016;

settings! {
    /// TLS of a client (configtls.ClientConfig).
    pub struct ClientTls {
        /// Send without TLS.
        insecure: bool = false,
        /// Accept any certificate.
        insecure_skip_verify: bool = false,
        /// Name expected in the server's certificate.
        server_name_override: Option<String> = None,
        /// File of the authorities trusted, PEM.
        ca_file: Option<String> = None,
        /// The authorities trusted, PEM.
        ca_pem: Option<Secret> = None,
        /// File of the client's certificate, PEM.
        cert_file: Option<String> = None,
        /// The client's certificate, PEM.
        cert_pem: Option<Secret> = None,
        /// File of its key, PEM.
        key_file: Option<String> = None,
        /// Its key, PEM.
        key_pem: Option<Secret> = None,
        /// Trust the system's authorities besides `ca_file`.
        include_system_ca_certs_pool: bool = false,
        /// Lowest version of TLS.
        min_version: TlsVersion = TlsVersion::V1_2,
        /// Highest version of TLS.
        max_version: Option<TlsVersion> = None,
        /// How often the files are read again; files are also read again when they change.
        reload_interval: Option<Duration> = None,
    }
    check = client_tls;
}

settings! {
    /// TLS of a server (configtls.ServerConfig).
    pub struct ServerTls {
        /// File of the server's certificate, PEM.
        cert_file: Option<String> = None,
        /// The server's certificate, PEM.
        cert_pem: Option<Secret> = None,
        /// File of its key, PEM.
        key_file: Option<String> = None,
        /// Its key, PEM.
        key_pem: Option<Secret> = None,
        /// File of the authorities whose clients are let in (mutual TLS), PEM.
        client_ca_file: Option<String> = None,
        /// Lowest version of TLS.
        min_version: TlsVersion = TlsVersion::V1_2,
        /// Highest version of TLS.
        max_version: Option<TlsVersion> = None,
        /// How often the files are read again; files are also read again when they change.
        reload_interval: Option<Duration> = None,
    }
    check = server_tls;
}

choice! {
    /// A version of TLS.
    pub enum TlsVersion {
        /// TLS 1.2
        V1_2 = "1.2",
        /// TLS 1.3
        V1_3 = "1.3",
    }
}

fn client_tls(tls: &ClientTls, d: &mut Decoder) {
    let certificate = tls.cert_file.is_some() || tls.cert_pem.is_some();
    let key = tls.key_file.is_some() || tls.key_pem.is_some();
    pair(certificate, key, d);
    one_of(tls.cert_file.is_some(), tls.cert_pem.is_some(), "cert_file and cert_pem", d);
    one_of(tls.key_file.is_some(), tls.key_pem.is_some(), "key_file and key_pem", d);
    one_of(tls.ca_file.is_some(), tls.ca_pem.is_some(), "ca_file and ca_pem", d);
    versions(tls.min_version, tls.max_version, d);
}

fn server_tls(tls: &ServerTls, d: &mut Decoder) {
    let certificate = tls.cert_file.is_some() || tls.cert_pem.is_some();
    let key = tls.key_file.is_some() || tls.key_pem.is_some();
    let deferred =
        ["cert_file", "cert_pem", "key_file", "key_pem"].iter().any(|k| d.is_unsettled(k));
    if !certificate && !key && !deferred {
        d.problem(Code::Missing, "a server needs a certificate: cert_file and key_file");
    }
    pair(certificate, key, d);
    one_of(tls.cert_file.is_some(), tls.cert_pem.is_some(), "cert_file and cert_pem", d);
    one_of(tls.key_file.is_some(), tls.key_pem.is_some(), "key_file and key_pem", d);
    versions(tls.min_version, tls.max_version, d);
}

fn pair(certificate: bool, key: bool, d: &mut Decoder) {
    let deferred =
        ["cert_file", "cert_pem", "key_file", "key_pem"].iter().any(|k| d.is_unsettled(k));
    if certificate != key && !deferred {
        d.problem(Code::Missing, "a certificate and its key are given together");
    }
}

fn one_of(first: bool, second: bool, names: &str, d: &mut Decoder) {
    if first && second {
        d.problem(Code::InvalidValue, format!("{names} exclude each other"));
    }
}

fn versions(min: TlsVersion, max: Option<TlsVersion>, d: &mut Decoder) {
    if min == TlsVersion::V1_3 && max == Some(TlsVersion::V1_2) {
        d.problem_at("min_version", Code::InvalidValue, "is above max_version");
    }
}

settings! {
    /// Keepalive of a gRPC client (configgrpc.KeepaliveClientConfig).
    pub struct ClientKeepalive {
        /// Silence after which a ping is sent.
        time: Duration = Duration::from_secs(10),
        /// How long its answer may take.
        timeout: Duration = Duration::from_secs(10),
        /// Ping also while nothing is under way.
        permit_without_stream: bool = false,
    }
}

choice! {
    /// How requests are compressed (config/configcompression).
    pub enum Compression {
        /// gzip
        Gzip = "gzip",
        /// Zstandard
        Zstd = "zstd",
        /// Snappy
        Snappy = "snappy",
        /// deflate in a zlib wrapper
        Zlib = "zlib",
        /// deflate
        Deflate = "deflate",
        /// Not at all
        None = "none",
        /// Not at all
        Empty = "",
    }
}

/// A request cannot be cut smaller than a byte.
pub(super) fn above_zero(key: &str, bytes: u64, d: &mut Decoder) {
    if bytes == 0 {
        d.problem_at(key, Code::InvalidValue, "must be above 0");
    }
}

/// What both gRPC exporters ask for. gRPC knows fewer compressions than HTTP (configgrpc,
/// getGRPCCompressionName).
pub(super) fn grpc_client(compression: Compression, max_request_bytes: u64, d: &mut Decoder) {
    if matches!(compression, Compression::Zlib | Compression::Deflate) {
        let message = format!("{:?} is not for gRPC", compression.as_str());
        let problem = Problem::new(join(d.path(), "compression"), Code::InvalidValue, message);
        d.problems.push(problem.hint("gRPC has gzip, snappy and zstd"));
    }
    above_zero("max_request_bytes", max_request_bytes, d);
}

settings! {
    /// When what failed is sent again (exporterhelper, retry_on_failure).
    pub struct Retry {
        /// Send again at all.
        enabled: bool = true,
        /// Wait after the first failure.
        initial_interval: Duration = Duration::from_secs(5),
        /// Part of a wait that is left to chance.
        randomization_factor: f64 = 0.5,
        /// How much longer each wait is than the one before.
        multiplier: f64 = 1.5,
        /// Longest wait.
        max_interval: Duration = Duration::from_secs(30),
        /// Time after which a batch is given up; 0 is never.
        max_elapsed_time: Duration = Duration::from_secs(300),
    }
    check = retry;
}

fn retry(retry: &Retry, d: &mut Decoder) {
    if !retry.enabled {
        return;
    }
    if !(0.0..=1.0).contains(&retry.randomization_factor) {
        d.problem_at("randomization_factor", Code::InvalidValue, "must be from 0 to 1");
    }
    if retry.multiplier.is_nan() || retry.multiplier < 0.0 {
        d.problem_at("multiplier", Code::InvalidValue, "must not be negative");
    }
    // otelcol takes it: the first wait is then the longest.
    if retry.max_interval < retry.initial_interval {
        d.at("max_interval", |d| d.warning(Code::Questionable, "is below initial_interval"));
    }
    let limit = retry.max_elapsed_time;
    for (key, wait) in
        [("initial_interval", retry.initial_interval), ("max_interval", retry.max_interval)]
    {
        if !limit.is_zero() && limit < wait {
            d.problem_at("max_elapsed_time", Code::InvalidValue, format!("is below {key}"));
        }
    }
}

settings! {
    /// What waits to be sent (exporterhelper, sending_queue).
    pub struct Queue {
        /// Whether there is a queue.
        enabled: bool = true,
        /// How many batches are sent at the same time.
        num_consumers: u32 = 10,
        /// How much waits at most, counted as `sizer` says.
        queue_size: u64 = 1000,
        /// What `queue_size` counts.
        sizer: Sizer = Sizer::Requests,
        /// Wait for room instead of refusing.
        block_on_overflow: bool = false,
        /// Answer the client when the backend has answered.
        wait_for_result: bool = false,
        /// Extension that keeps the queue; none is built in yet.
        storage: Option<String> = None,
        /// Batches made in the queue; off unless given.
        batch: Option<QueueBatch> = None,
    }
    check = queue;
}

settings! {
    /// Batches made in the queue (exporterhelper, sending_queue.batch).
    pub struct QueueBatch {
        /// Time after which a batch is sent whatever its size.
        flush_timeout: Duration = Duration::from_millis(200),
        /// Size from which a batch is sent.
        min_size: u64 = 8192,
        /// Largest batch; 0 is no limit.
        max_size: u64 = 0,
        /// What the sizes count: items.
        sizer: Option<Sizer> = None,
    }
    check = queue_batch;
}

choice! {
    /// What a size counts.
    pub enum Sizer {
        /// Requests
        Requests = "requests",
        /// Spans, data points or log records
        Items = "items",
        /// Bytes as encoded
        Bytes = "bytes",
    }
}

fn queue(queue: &Queue, d: &mut Decoder) {
    if !queue.enabled {
        return;
    }
    if queue.queue_size == 0 {
        d.problem_at("queue_size", Code::InvalidValue, "must be above 0");
    }
    if queue.num_consumers == 0 {
        d.problem_at("num_consumers", Code::InvalidValue, "must be above 0");
    }
    if queue.storage.is_some() {
        d.problem_at("storage", Code::Undefined, "no storage extension is built in");
    }
}

fn queue_batch(batch: &QueueBatch, d: &mut Decoder) {
    if batch.max_size != 0 && batch.max_size < batch.min_size {
        d.problem_at("max_size", Code::InvalidValue, "is below min_size");
    }
    if matches!(batch.sizer, Some(Sizer::Bytes | Sizer::Requests)) {
        d.problem_at("sizer", Code::InvalidValue, "batches are counted in items");
    }
}
