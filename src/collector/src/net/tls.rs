//! TLS from settings (otelcol config/configtls): files are read before anything starts, and again
//! when they change.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use obspipe_model::components::network::{ClientTls, ServerTls, TlsVersion};
use obspipe_model::settings::Secret;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

/// How often files are looked at, at most.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{key}: cannot read {path}: {source}")]
    Read {
        /// The setting.
        key: &'static str,
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// What was read is not what it should be.
    #[error("{key}: {why}")]
    Pem {
        /// The setting.
        key: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The parts do not fit together.
    #[error("{0}")]
    Unfit(rustls::Error),
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn versions(
    min: TlsVersion,
    max: Option<TlsVersion>,
) -> Vec<&'static rustls::SupportedProtocolVersion> {
    let mut versions = Vec::new();
    if min == TlsVersion::V1_2 {
        versions.push(&rustls::version::TLS12);
    }
    if max != Some(TlsVersion::V1_2) {
        versions.push(&rustls::version::TLS13);
    }
    versions
}

/// A PEM given in a file or as it is.
struct Given<'a> {
    key: &'static str,
    file: Option<&'a String>,
    pem: Option<&'a Secret>,
}

impl Given<'_> {
    fn read(&self) -> Result<Option<Vec<u8>>, TlsError> {
        match (self.file, self.pem) {
            (Some(path), _) => fs::read(path).map(Some).map_err(|source| TlsError::Read {
                key: self.key,
                path: path.clone(),
                source,
            }),
            (None, Some(pem)) => Ok(Some(pem.0.clone().into_bytes())),
            (None, None) => Ok(None),
        }
    }

    fn wrong(&self, why: impl ToString) -> TlsError {
        TlsError::Pem { key: self.key, why: why.to_string() }
    }

    fn certificates(&self) -> Result<Option<Vec<CertificateDer<'static>>>, TlsError> {
        let Some(text) = self.read()? else {
            return Ok(None);
        };
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let certificates = read.map_err(|error| self.wrong(error))?;
        if certificates.is_empty() {
            return Err(self.wrong("there is no certificate in it"));
        }
        Ok(Some(certificates))
    }

    fn key(&self) -> Result<Option<PrivateKeyDer<'static>>, TlsError> {
        let Some(text) = self.read()? else {
            return Ok(None);
        };
        PrivateKeyDer::from_pem_slice(&text).map(Some).map_err(|error| self.wrong(error))
    }
}

fn roots(tls: &ClientTls) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    let given = Given { key: "ca_file", file: tls.ca_file.as_ref(), pem: tls.ca_pem.as_ref() };
    let own = given.certificates()?;
    let alone = own.is_some() && !tls.include_system_ca_certs_pool;
    for certificate in own.into_iter().flatten() {
        store.add(certificate).map_err(|error| given.wrong(error))?;
    }
    if !alone {
        system_roots(&mut store);
    }
    Ok(store)
}

/// The system's authorities: SSL_CERT_FILE and SSL_CERT_DIR, else the usual places, else those
/// compiled in (an image from scratch has none).
fn system_roots(store: &mut RootCertStore) {
    const USUAL: [&str; 4] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];
    let named = std::env::var("SSL_CERT_FILE").ok();
    let directory = std::env::var("SSL_CERT_DIR").ok();
    let mut files: Vec<String> = named.clone().into_iter().collect();
    if let Some(entries) = directory.as_ref().and_then(|directory| fs::read_dir(directory).ok()) {
        files.extend(entries.flatten().map(|entry| entry.path().display().to_string()));
    }
    if named.is_none() && directory.is_none() {
        files.extend(USUAL.iter().find(|path| Path::new(path).exists()).map(ToString::to_string));
    }
    for text in files.iter().filter_map(|path| fs::read(path).ok()) {
        store.add_parsable_certificates(CertificateDer::pem_slice_iter(&text).flatten());
    }
    if store.is_empty() {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
}

/// TLS of a client, with the protocols it offers (ALPN).
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub fn client(tls: &ClientTls, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, TlsError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&versions(tls.min_version, tls.max_version))
        .map_err(TlsError::Unfit)?;
    let builder = if tls.insecure_skip_verify {
        let anyone = Arc::new(Anyone(provider()));
        builder.dangerous().with_custom_certificate_verifier(anyone)
    } else {
        builder.with_root_certificates(roots(tls)?)
    };
    let certificate =
        Given { key: "cert_file", file: tls.cert_file.as_ref(), pem: tls.cert_pem.as_ref() };
    let key = Given { key: "key_file", file: tls.key_file.as_ref(), pem: tls.key_pem.as_ref() };
    let mut config = match (certificate.certificates()?, key.key()?) {
        (Some(chain), Some(key)) => {
            builder.with_client_auth_cert(chain, key).map_err(TlsError::Unfit)?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

/// TLS of a server, with the protocols it takes (ALPN).
///
/// # Errors
/// A file cannot be read, or is not what it should be.
pub fn server(tls: &ServerTls, alpn: &[&[u8]]) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&versions(tls.min_version, tls.max_version))
        .map_err(TlsError::Unfit)?;
    let clients = Given { key: "client_ca_file", file: tls.client_ca_file.as_ref(), pem: None };
    let builder = match clients.certificates()? {
        Some(authorities) => {
            let mut store = RootCertStore::empty();
            for authority in authorities {
                store.add(authority).map_err(|error| clients.wrong(error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(store.into(), provider())
                .build()
                .map_err(|error| clients.wrong(error))?;
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let certificate =
        Given { key: "cert_file", file: tls.cert_file.as_ref(), pem: tls.cert_pem.as_ref() };
    let key = Given { key: "key_file", file: tls.key_file.as_ref(), pem: tls.key_pem.as_ref() };
    let chain = certificate.certificates()?.unwrap_or_default();
    let key = key.key()?.ok_or_else(|| key.wrong("must be given"))?;
    let mut config = builder.with_single_cert(chain, key).map_err(TlsError::Unfit)?;
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

/// A configuration made of files, made again when they change. One that cannot be made any more is
/// logged, and the one before stays.
pub struct Reloading<T> {
    files: Vec<String>,
    make: Box<dyn Fn() -> Result<Arc<T>, TlsError> + Send + Sync>,
    state: Mutex<(Arc<T>, Vec<Option<SystemTime>>, Instant)>,
}

impl<T> Reloading<T> {
    /// Makes it for the first time.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(
        files: impl IntoIterator<Item = Option<String>>,
        make: impl Fn() -> Result<Arc<T>, TlsError> + Send + Sync + 'static,
    ) -> Result<Self, TlsError> {
        let files: Vec<String> = files.into_iter().flatten().collect();
        let state = Mutex::new((make()?, changed(&files), Instant::now()));
        Ok(Self { files, make: Box::new(make), state })
    }

    /// It as it should be now.
    pub fn current(&self) -> Arc<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.2.elapsed() >= LOOK_AGAIN && !self.files.is_empty() {
            state.2 = Instant::now();
            let now = changed(&self.files);
            if now != state.1 {
                match (self.make)() {
                    Ok(made) => (state.0, state.1) = (made, now),
                    Err(error) => tracing::warn!(%error, "TLS files changed and cannot be used"),
                }
            }
        }
        state.0.clone()
    }
}

fn changed(files: &[String]) -> Vec<Option<SystemTime>> {
    let modified = |path: &String| fs::metadata(path).and_then(|meta| meta.modified()).ok();
    files.iter().map(modified).collect()
}

/// The files of a client's settings.
pub fn client_files(tls: &ClientTls) -> [Option<String>; 3] {
    [tls.ca_file.clone(), tls.cert_file.clone(), tls.key_file.clone()]
}

/// The files of a server's settings.
pub fn server_files(tls: &ServerTls) -> [Option<String>; 3] {
    [tls.client_ca_file.clone(), tls.cert_file.clone(), tls.key_file.clone()]
}

/// insecure_skip_verify: whoever answers is believed.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
