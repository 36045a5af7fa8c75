//! What the network exporters share: a gRPC and an HTTP client that send one request and say what
//! the answer means for trying again (OTLP specification, Failures; collector-wide tables of codes).

mod grpc;
mod http1;

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use obspipe_model::components::network::{ClientTls, Headers};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;

pub use self::grpc::{GrpcClient, GrpcSettings, of_status};
pub use self::http1::{HttpClient, HttpSettings, Reply};
use crate::flow::send::Answer;
use crate::net::connect::ConnectError;
use crate::net::tls::{self, Reloading, TlsError};

/// How we introduce ourselves to backends.
pub const USER_AGENT: &str = concat!("obspipe-collector/", env!("CARGO_PKG_VERSION"));
/// Most bytes of an answer that are read.
const MAX_ANSWER: usize = 256 * 1024;

/// Why an exporter cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// TLS cannot be set up.
    #[error("tls.{0}")]
    Tls(#[from] TlsError),
    /// A header cannot be sent; its value is not told.
    #[error("headers: {0:?} is no header, or its value cannot be sent")]
    Header(String),
    /// The address is none.
    #[error("endpoint: {0}")]
    Endpoint(String),
}

/// Headers as they are sent.
///
/// # Errors
/// One cannot be sent.
pub fn headers(configured: &Headers) -> Result<HeaderMap, ClientError> {
    let pair = |(name, value): (&String, &obspipe_model::settings::Secret)| {
        let wrong = || ClientError::Header(name.clone());
        let header = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
        let mut value = HeaderValue::try_from(value.0.as_str()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        Ok((header, value))
    };
    configured.iter().map(pair).collect()
}

type Secure = (Arc<Reloading<ClientConfig>>, ServerName<'static>);

fn secure(
    settings: &ClientTls,
    host: &str,
    alpn: &'static [&'static [u8]],
) -> Result<Secure, ClientError> {
    let name = settings.server_name_override.clone().unwrap_or_else(|| host.to_owned());
    let name = ServerName::try_from(name)
        .map_err(|error| ClientError::Endpoint(format!("no name of a server: {error}")))?;
    let (files, settings) = (tls::client_files(settings), settings.clone());
    let config = Reloading::new(files, move || tls::client(&settings, alpn))?;
    Ok((Arc::new(config), name))
}

fn later(error: &ConnectError) -> Answer {
    Answer::Later { after: None, why: error.to_string() }
}

#[cfg(test)]
mod tests;
