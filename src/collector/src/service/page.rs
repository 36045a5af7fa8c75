//! Pages that others read over HTTP: metrics for Prometheus, health, status. Each is a function of
//! the request; sockets and TLS are here.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use obspipe_model::components::network::ServerTls;
use obspipe_model::settings::ListenAddress;

use crate::flow::scope::Scope;
use crate::net::body::Pieces;
use crate::net::listen::{BindError, Listeners, Listening};
use crate::net::serve::{Answering, From, Service, Serving, serve};
use crate::net::tls::{self, Reloading, TlsError};

/// What is shown.
pub struct Shown {
    /// HTTP status.
    pub status: StatusCode,
    /// Content type.
    pub content_type: Cow<'static, str>,
    /// The text.
    pub body: Pieces,
}

impl Shown {
    /// A short text.
    #[must_use]
    pub fn text(status: StatusCode, text: impl Into<String>) -> Self {
        let body = text.into().into();
        Self { status, content_type: "text/plain; charset=utf-8".into(), body }
    }

    /// JSON.
    #[must_use]
    pub fn json(status: StatusCode, text: String) -> Self {
        Self { status, content_type: "application/json".into(), body: text.into() }
    }
}

/// A page that is being made.
pub type Showing<'a> = Pin<Box<dyn Future<Output = Option<Shown>> + Send + 'a>>;

/// Shows pages.
pub trait Pages: Send + Sync + 'static {
    /// The page at a path, for a reader who accepts these types; None where there is none. What
    /// takes long to make lets others run meanwhile.
    fn page<'a>(&'a self, path: &'a str, accept: Option<&'a str>) -> Showing<'a>;
}

/// Why pages cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// TLS files.
    #[error("tls.{0}")]
    Tls(#[from] TlsError),
}

/// Pages with their socket, not served yet.
pub struct Page {
    pages: Arc<dyn Pages>,
    listening: Listening,
    serving: Serving,
}

impl Page {
    /// Opens the socket and reads the TLS files.
    ///
    /// # Errors
    /// See [`PageError`].
    pub fn prepare(
        address: &ListenAddress,
        settings: Option<&ServerTls>,
        pages: Arc<dyn Pages>,
        listeners: &Listeners,
    ) -> Result<Self, PageError> {
        let tls = match settings.cloned() {
            Some(settings) => {
                let files = tls::server_files(&settings);
                let make = move || tls::server(&settings, &[b"h2", b"http/1.1"]);
                Some(Arc::new(Reloading::new(files, make)?))
            }
            None => None,
        };
        let listening = listeners.open(address)?;
        Ok(Self { pages, listening, serving: Serving { tls, ..Serving::default() } })
    }

    /// The address bound.
    #[must_use]
    pub fn address(&self) -> Option<std::net::SocketAddr> {
        self.listening.address()
    }

    /// Serves until the scope is ending.
    pub fn start(self, scope: &Scope) {
        let server = Arc::new(Server(self.pages));
        for socket in self.listening.sockets {
            serve(socket, self.serving.clone(), Arc::new(server.clone()), scope);
        }
    }
}

struct Server(Arc<dyn Pages>);

impl Service for Server {
    fn answer(self: Arc<Self>, request: Request<Incoming>, _: From) -> Answering {
        Box::pin(async move {
            let accept = request.headers().get(http::header::ACCEPT);
            let accept = accept.and_then(|value| value.to_str().ok());
            let shown = match *request.method() {
                Method::GET | Method::HEAD => self.0.page(request.uri().path(), accept).await,
                _ => Some(Shown::text(StatusCode::METHOD_NOT_ALLOWED, "405 method not allowed\n")),
            };
            let shown =
                shown.unwrap_or_else(|| Shown::text(StatusCode::NOT_FOUND, "404 page not found\n"));
            let mut response = Response::new(match *request.method() {
                Method::HEAD => Pieces::default(),
                _ => shown.body,
            });
            *response.status_mut() = shown.status;
            if let Ok(kind) = HeaderValue::try_from(shown.content_type.as_ref()) {
                response.headers_mut().insert(CONTENT_TYPE, kind);
            }
            response
        })
    }
}
