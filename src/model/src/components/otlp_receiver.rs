//! The otlp receiver (otelcol receiver/otlpreceiver, config/configgrpc, config/confighttp).

use std::time::Duration;

use super::network::ServerTls;
use crate::decode::{Decoder, Named};
use crate::problem::Code;
use crate::settings::{ListenAddress, choice, settings};

settings! {
    /// Takes OTLP over gRPC and HTTP.
    pub struct OtlpReceiver {
        /// The protocols spoken; at least one.
        protocols: Protocols = Protocols::default(),
    }
    check = protocols;
}

settings! {
    /// The protocols of an otlp receiver. A protocol named without settings has its defaults.
    pub struct Protocols {
        /// OTLP/gRPC.
        grpc: Named<GrpcServer> = Named(None),
        /// OTLP/HTTP.
        http: Named<HttpServer> = Named(None),
    }
}

fn protocols(receiver: &OtlpReceiver, d: &mut Decoder) {
    let protocols = &receiver.protocols;
    if protocols.grpc.is_none() && protocols.http.is_none() && !d.is_unsettled("protocols") {
        d.problem_at("protocols", Code::Missing, "name at least one of grpc and http, as in \"grpc: {}\": kubectl apply drops empty values");
    }
}

settings! {
    /// A gRPC server.
    pub struct GrpcServer {
        /// Address to listen on.
        endpoint: ListenAddress = ListenAddress::new("localhost", 4317),
        /// Kind of socket.
        transport: Transport = Transport::Tcp,
        /// TLS; without it the port speaks plain HTTP/2.
        tls: Option<ServerTls> = None,
        /// Largest request, in MiB, compressed or not.
        max_recv_msg_size_mib: u64 = 4,
        /// Requests under way on one connection; 0 is the built-in limit.
        max_concurrent_streams: u32 = 0,
        /// otelcol: bytes read at once; no effect here.
        read_buffer_size: u64 = 524_288,
        /// otelcol: bytes written at once; no effect here.
        write_buffer_size: u64 = 32_768,
        /// Keep the client's metadata for processors that ask for it.
        include_metadata: bool = false,
        /// When idle and old connections end.
        keepalive: Option<ServerKeepalive> = None,
    }
    check = grpc_server;
}

choice! {
    /// A kind of socket.
    pub enum Transport {
        /// TCP
        Tcp = "tcp",
        /// TCP over IPv4
        Tcp4 = "tcp4",
        /// TCP over IPv6
        Tcp6 = "tcp6",
    }
}

fn grpc_server(server: &GrpcServer, d: &mut Decoder) {
    if server.max_recv_msg_size_mib == 0 || server.max_recv_msg_size_mib > 1024 {
        d.problem_at("max_recv_msg_size_mib", Code::InvalidValue, "must be from 1 to 1024");
    }
}

settings! {
    /// Keepalive of a gRPC server (configgrpc.KeepaliveServerConfig).
    pub struct ServerKeepalive {
        /// When connections end.
        server_parameters: ServerParameters = ServerParameters::default(),
        /// What clients may ask for.
        enforcement_policy: EnforcementPolicy = EnforcementPolicy::default(),
    }
}

settings! {
    /// When connections end.
    pub struct ServerParameters {
        /// Idle time after which a connection ends; never unless given.
        max_connection_idle: Option<Duration> = None,
        /// Age at which a connection ends; never unless given.
        max_connection_age: Option<Duration> = None,
        /// Time that requests under way then still have.
        max_connection_age_grace: Option<Duration> = None,
        /// Silence after which a ping is sent.
        time: Duration = Duration::from_secs(7200),
        /// How long its answer may take.
        timeout: Duration = Duration::from_secs(20),
    }
}

settings! {
    /// What clients may ask for.
    pub struct EnforcementPolicy {
        /// otelcol: shortest time between a client's pings; no effect here.
        min_time: Duration = Duration::from_secs(300),
        /// otelcol: let clients ping while nothing is under way; no effect here, they may.
        permit_without_stream: bool = false,
    }
}

settings! {
    /// An HTTP server.
    pub struct HttpServer {
        /// Address to listen on.
        endpoint: ListenAddress = ListenAddress::new("localhost", 4318),
        /// Kind of socket.
        transport: Transport = Transport::Tcp,
        /// TLS; without it the port speaks plain HTTP.
        tls: Option<ServerTls> = None,
        /// Which web pages may send.
        cors: Option<Cors> = None,
        /// Path of traces.
        traces_url_path: String = "/v1/traces".into(),
        /// Path of metrics.
        metrics_url_path: String = "/v1/metrics".into(),
        /// Path of logs.
        logs_url_path: String = "/v1/logs".into(),
        /// Largest request, in bytes, compressed or not.
        max_request_body_size: u64 = 20_971_520,
        /// Content encodings taken.
        compression_algorithms: Vec<String> = ["", "gzip", "zstd", "zlib", "snappy", "deflate", "lz4"].map(String::from).to_vec(),
        /// Keep the client's headers for processors that ask for them.
        include_metadata: bool = false,
        /// How long a request's headers may take.
        read_header_timeout: Duration = Duration::from_secs(60),
        /// How long a whole request may take; 0 is no limit.
        read_timeout: Duration = Duration::ZERO,
        /// otelcol: how long an answer may take; no effect here, answers are short.
        write_timeout: Duration = Duration::from_secs(30),
        /// Idle time after which a connection ends.
        idle_timeout: Duration = Duration::from_secs(60),
        /// Serve several requests of one connection.
        keep_alives_enabled: bool = true,
    }
    check = http_server;
}

settings! {
    /// Cross-origin requests of web pages (confighttp.CORSConfig).
    pub struct Cors {
        /// Origins let in; `*` stands for any text.
        allowed_origins: Vec<String> = Vec::new(),
        /// Headers let in besides the simple ones.
        allowed_headers: Vec<String> = Vec::new(),
        /// Headers that the page may read.
        exposed_headers: Vec<String> = Vec::new(),
        /// Seconds that a browser keeps the answer.
        max_age: u32 = 0,
    }
}

fn http_server(server: &HttpServer, d: &mut Decoder) {
    if server.max_request_body_size == 0 {
        d.problem_at("max_request_body_size", Code::InvalidValue, "must be above 0");
    }
    let paths = [
        ("traces_url_path", &server.traces_url_path),
        ("metrics_url_path", &server.metrics_url_path),
        ("logs_url_path", &server.logs_url_path),
    ];
    for (index, (key, path)) in paths.iter().enumerate() {
        if !path.starts_with('/') {
            d.problem_at(key, Code::InvalidValue, "must begin with a slash");
        }
        if paths[..index].iter().any(|(_, other)| other == path) {
            d.problem_at(key, Code::InvalidValue, "is another signal's path as well");
        }
    }
}
