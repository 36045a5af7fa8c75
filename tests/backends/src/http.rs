//! As much of an HTTP client as the backends' APIs need: one request, one connection, no TLS.

use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::error::{Error, Result};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// The body of a GET that is answered with 200.
///
/// # Errors
/// There is no answer, or one with another status.
pub async fn get(address: SocketAddr, path: &str) -> Result<Bytes> {
    Ok(get_with(address, path, &[]).await?.body)
}

/// The same with more headers; the whole answer.
///
/// # Errors
/// As [`get`].
pub async fn get_with(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Response> {
    let response = send(address, Method::GET, path, headers, Bytes::new()).await?;
    if response.status == StatusCode::OK {
        return Ok(response);
    }
    Err(Error::Refused {
        url: format!("http://{address}{path}"),
        status: response.status.as_u16(),
        body: String::from_utf8_lossy(&response.body).into_owned(),
    })
}

/// The same with query parameters, read as JSON.
///
/// # Errors
/// As [`get`], and when the body is not JSON.
pub async fn get_json(
    address: SocketAddr,
    path: &str,
    parameters: &[(&str, &str)],
) -> Result<Value> {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let body = get(address, &format!("{path}?{query}")).await?;
    serde_json::from_slice(&body).map_err(|source| Error::Format {
        what: format!("the answer of http://{address}{path}"),
        reason: source.to_string(),
    })
}

/// Posts a body; any status is an answer.
///
/// # Errors
/// There is no whole answer.
pub async fn post(
    address: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Response> {
    send(address, Method::POST, path, headers, body.into()).await
}

async fn send(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<Response> {
    let no_answer =
        |reason: String| Error::NoAnswer { url: format!("http://{address}{path}"), reason };
    let mut request =
        Request::builder().method(method).uri(path).header("host", address.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body)).map_err(|error| no_answer(error.to_string()))?;
    match tokio::time::timeout(ANSWER_WITHIN, exchange(address, request)).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) => Err(no_answer(error.to_string())),
        Err(_) => Err(no_answer(format!("nothing within {ANSWER_WITHIN:?}"))),
    }
}

async fn exchange(
    address: SocketAddr,
    request: Request<Full<Bytes>>,
) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async {
        let (parts, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Response { status: parts.status, headers: parts.headers, body })
    };
    // The connection ends when the sender is dropped; until then it has to be driven.
    let driver = tokio::spawn(connection);
    let result = exchange.await;
    driver.abort();
    result
}
