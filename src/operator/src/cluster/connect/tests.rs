use std::convert::Infallible;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::*;
use crate::cluster::client;

/// A server that answers with what it was asked: the path and the agent.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(async |request: Request<Incoming>| {
                let agent = request.headers()["user-agent"].to_str().unwrap();
                let text = format!("{} {agent}", request.uri());
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(text))))
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    port
}

fn asking() -> http::Request<Vec<u8>> {
    http::Request::get("/version").body(Vec::new()).unwrap()
}

#[tokio::test]
async fn a_server_is_reached_by_address_and_by_name() {
    let port = echo().await;
    for host in ["127.0.0.1", "localhost"] {
        let config = Config::new(format!("http://{host}:{port}/base").parse().unwrap());
        let answer = client(config).unwrap().request_text(asking()).await.unwrap();
        let agent = concat!("obspipe-operator/", env!("CARGO_PKG_VERSION"));
        assert_eq!(answer, format!("/base/version {agent}"));
    }
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_an_error_that_says_so() {
    let config = Config::new("http://name.invalid:1".parse().unwrap());
    let mut error: &dyn std::error::Error =
        &client(config).unwrap().request_text(asking()).await.unwrap_err();
    let mut said = error.to_string();
    while let Some(source) = error.source() {
        error = source;
        said += &format!(": {error}");
    }
    assert!(said.contains("dns error"), "{said}");
}

#[tokio::test]
async fn a_proxy_is_refused_and_not_passed_by() {
    let mut config = Config::new("http://127.0.0.1:1".parse().unwrap());
    config.proxy_url = Some("http://127.0.0.1:2".parse().unwrap());
    let refused = client(config).err().unwrap();
    assert!(matches!(refused, Error::ProxyProtocolUnsupported { .. }), "{refused}");
}
