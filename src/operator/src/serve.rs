//! The operator's HTTP listener: metrics and probes, nothing that changes anything.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::metrics::Metrics;

#[cfg(test)]
mod tests;

/// Connections at the same time; further ones wait in the listener's backlog.
const MAX_CONNECTIONS: usize = 64;
/// A client that has not sent its header by then is cut off.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// A client that has not taken the answer by then is cut off.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after a failed accept, as when there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections that are being answered when told to stop have so long to end.
const STOP_GRACE: Duration = Duration::from_secs(1);

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Answers `/metrics`, `/livez` and `/readyz` until `stop` turns true or its sender is gone.
pub async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    ready: watch::Receiver<bool>,
    mut stop: watch::Receiver<bool>,
) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = accept(&listener, &slots) => if let Some((stream, slot)) = accepted {
                connections.spawn(connection(stream, slot, metrics.clone(), ready.clone()));
            },
            Some(_) = connections.join_next() => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    // Closed first: what connects from now on is refused at once instead of left waiting.
    drop(listener);
    let answered = async { while connections.join_next().await.is_some() {} };
    // Who is not done by then, or never asked anything, is cut off.
    let _ = tokio::time::timeout(STOP_GRACE, answered).await;
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, slot)),
        Err(error) => {
            tracing::debug!(%error, "connection not accepted");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn connection(
    stream: TcpStream,
    _slot: OwnedSemaphorePermit,
    metrics: Metrics,
    ready: watch::Receiver<bool>,
) {
    let service = service_fn(|request: Request<Incoming>| {
        let response = answer(request.method(), request.uri().path(), &metrics, *ready.borrow());
        async move { Ok::<_, Infallible>(response) }
    });
    // Probes and scrapes are seconds apart: a connection kept for the next would only hold a slot.
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Ok(Err(error)) = tokio::time::timeout(CONNECTION_TIMEOUT, served).await {
        tracing::debug!(%error, "connection ended");
    }
}

fn answer(method: &Method, path: &str, metrics: &Metrics, ready: bool) -> Response<Full<Bytes>> {
    if !matches!(path, "/metrics" | "/livez" | "/readyz") {
        return response(StatusCode::NOT_FOUND, TEXT, "not found\n");
    }
    if method != Method::GET {
        let mut refusal = response(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n");
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
        return refusal;
    }
    match path {
        "/metrics" => response(StatusCode::OK, OPEN_METRICS, metrics.encode()),
        "/readyz" if !ready => response(
            StatusCode::SERVICE_UNAVAILABLE,
            TEXT,
            "not ready: not everything is listed yet\n",
        ),
        _ => response(StatusCode::OK, TEXT, "ok\n"),
    }
}

fn response(
    status: StatusCode,
    content: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content));
    response
}
