//! The otlp receiver: OTLP over gRPC and over HTTP (otelcol receiver/otlpreceiver).

mod grpc;
mod http;
mod intake;

pub use intake::{Counters, Inlets};

use std::sync::Arc;
use std::time::Duration;

use obspipe_model::components::network::ServerTls;
use obspipe_model::components::otlp_receiver::{GrpcServer, HttpServer, OtlpReceiver};
use rustls::ServerConfig;

use crate::flow::account::Account;
use crate::flow::scope::Scope;
use crate::net::listen::{BindError, Listeners, Listening};
use crate::net::serve::{Serving, serve};
use crate::net::tls::{self, Reloading, TlsError};
use intake::Intake;

/// Requests at once on one connection, unless configured.
const MAX_STREAMS: u32 = 128;

/// A receiver that has its sockets and is not serving yet.
pub struct Prepared {
    grpc: Option<(GrpcServer, Listening, Serving)>,
    http: Option<(HttpServer, Listening, Serving)>,
}

/// Why a receiver cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A socket cannot be opened.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// TLS cannot be set up.
    #[error("tls.{0}")]
    Tls(#[from] TlsError),
}

/// Opens the sockets and reads the TLS files.
///
/// # Errors
/// See [`PrepareError`].
pub fn prepare(settings: &OtlpReceiver, listeners: &Listeners) -> Result<Prepared, PrepareError> {
    let protocols = &settings.protocols;
    let grpc = match &protocols.grpc.0 {
        Some(server) => {
            let tls = secure(server.tls.as_ref(), &[b"h2"])?;
            Some((server.clone(), listeners.open(&server.endpoint)?, grpc_serving(server, tls)))
        }
        None => None,
    };
    let http = match &protocols.http.0 {
        Some(server) => {
            let tls = secure(server.tls.as_ref(), &[b"h2", b"http/1.1"])?;
            Some((server.clone(), listeners.open(&server.endpoint)?, http_serving(server, tls)))
        }
        None => None,
    };
    Ok(Prepared { grpc, http })
}

type Secure = Option<Arc<Reloading<ServerConfig>>>;

fn secure(
    settings: Option<&ServerTls>,
    alpn: &'static [&'static [u8]],
) -> Result<Secure, TlsError> {
    let Some(settings) = settings.cloned() else {
        return Ok(None);
    };
    let files = tls::server_files(&settings);
    Reloading::new(files, move || tls::server(&settings, alpn)).map(|tls| Some(Arc::new(tls)))
}

fn grpc_serving(server: &GrpcServer, tls: Secure) -> Serving {
    let keepalive = server.keepalive.clone().unwrap_or_default().server_parameters;
    Serving {
        tls,
        http2_only: true,
        max_streams: match server.max_concurrent_streams {
            0 => MAX_STREAMS,
            streams => streams,
        },
        keepalive: (keepalive.time, keepalive.timeout),
        max_age: keepalive.max_connection_age,
        age_grace: keepalive.max_connection_age_grace,
        max_idle: keepalive.max_connection_idle,
        ..Serving::default()
    }
}

fn http_serving(server: &HttpServer, tls: Secure) -> Serving {
    Serving {
        tls,
        header_timeout: match server.read_header_timeout {
            Duration::ZERO => Duration::from_secs(60),
            timeout => timeout,
        },
        keep_alives: server.keep_alives_enabled,
        ..Serving::default()
    }
}

impl Prepared {
    /// Serves until the scope is ending.
    pub fn start(self, inlets: &Arc<Inlets>, account: &Arc<Account>, scope: &Scope) {
        if let Some((settings, listening, serving)) = self.grpc {
            let intake =
                Intake::new(inlets, account, &inlets.counters.grpc, settings.include_metadata);
            let service = Arc::new(grpc::Grpc::new(&settings, intake));
            for socket in listening.sockets {
                serve(socket, serving.clone(), Arc::new(service.clone()), scope);
            }
        }
        if let Some((settings, listening, serving)) = self.http {
            let intake =
                Intake::new(inlets, account, &inlets.counters.http, settings.include_metadata);
            let service = Arc::new(http::Http::new(settings, intake));
            for socket in listening.sockets {
                serve(socket, serving.clone(), Arc::new(service.clone()), scope);
            }
        }
    }
}

#[cfg(test)]
mod tests;
