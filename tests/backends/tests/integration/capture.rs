//! What the capturing backends keep, and every kind of answer, seen by a client.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use obspipe_backends::{Answer, Capture, Reset, http as client};
use tokio::net::TcpStream;

const POST_SPANS: &str = "/jaeger.api_v2.CollectorService/PostSpans";
const SOON: Duration = Duration::from_secs(5);

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    [&[flag], length.as_slice(), message].concat()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Headers with the trailers, and the data, of one call; an error when the stream breaks off.
async fn call(address: SocketAddr, body: Vec<u8>) -> hyper::Result<(HeaderMap, Bytes)> {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::post(format!("http://{address}{POST_SPANS}"))
        .header("content-type", "application/grpc")
        .header("grpc-encoding", "gzip")
        .header("x-scope-orgid", "shop")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let response = sender.send_request(request).await?;
    assert_eq!(response.status(), 200);
    let mut headers = response.headers().clone();
    // A status in the headers is one only where nothing follows: other clients insist on that.
    assert_eq!(headers.contains_key("grpc-status"), response.body().is_end_stream());
    let body = response.into_body().collect().await?;
    headers.extend(body.trailers().cloned().unwrap_or_default());
    Ok((headers, body.to_bytes()))
}

#[tokio::test]
async fn grpc_keeps_the_message_without_frame_and_compression() {
    let capture = Capture::grpc(|_| Answer::grpc_ok()).await.unwrap();
    for body in [framed(0, b"plain"), framed(1, &gzip(b"small")), framed(0, b"")] {
        let (headers, data) = call(capture.address(), body).await.unwrap();
        assert_eq!(headers["grpc-status"], "0");
        assert_eq!(headers["content-type"], "application/grpc");
        assert_eq!(&data[..], [0; 5]);
    }
    let received = capture.wait_for(3, SOON).await.unwrap();
    assert_eq!(received.iter().map(|it| it.number).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(
        received.iter().map(|it| &it.body[..]).collect::<Vec<_>>(),
        [&b"plain"[..], b"small", b""]
    );
    assert_eq!(received[0].path, POST_SPANS);
    assert_eq!(received[0].headers["x-scope-orgid"], "shop");
}

#[tokio::test]
async fn grpc_refuses_what_is_no_message_and_does_not_keep_it() {
    let capture = Capture::grpc(|_| Answer::grpc_ok()).await.unwrap();
    let torn = framed(0, b"whole")[..7].to_vec();
    for body in [vec![0, 0], torn, framed(1, b"no gzip"), framed(2, b"flag")] {
        let (headers, _) = call(capture.address(), body).await.unwrap();
        assert_eq!(headers["grpc-status"], "3", "{headers:?}");
    }
    assert!(capture.received().is_empty());
}

#[tokio::test]
async fn grpc_answers_by_number() {
    let capture = Capture::grpc(|number| match number {
        0 => Answer::status(14).header("grpc-message", "later").header("x-more", "1"),
        1 => Answer::grpc_ok().body(*b"partial"),
        _ => Answer::grpc_ok().after(Duration::from_millis(300)),
    })
    .await
    .unwrap();
    let (headers, data) = call(capture.address(), framed(0, b"a")).await.unwrap();
    assert_eq!(
        (&headers["grpc-status"], &headers["grpc-message"]),
        (&"14".parse().unwrap(), &"later".parse().unwrap())
    );
    assert_eq!(headers["x-more"], "1");
    assert!(data.is_empty());
    let (_, data) = call(capture.address(), framed(0, b"b")).await.unwrap();
    assert_eq!(&data[..], framed(0, b"partial"));
    let sent = Instant::now();
    call(capture.address(), framed(0, b"c")).await.unwrap();
    assert!(sent.elapsed() >= Duration::from_millis(300));
    capture.answer(|number| Answer::status(u16::try_from(number).unwrap()));
    let (headers, _) = call(capture.address(), framed(0, b"d")).await.unwrap();
    assert_eq!(headers["grpc-status"], "3");
}

#[tokio::test]
async fn grpc_breaks_off_where_it_is_told() {
    for (reset, kept) in [
        (Reset::InRequest, framed(0, b"message")),
        (Reset::BeforeAnswer, b"message".to_vec()),
        (Reset::InAnswer, b"message".to_vec()),
    ] {
        let capture = Capture::grpc(move |_| Answer::grpc_ok().reset(reset)).await.unwrap();
        let error = call(capture.address(), framed(0, b"message")).await.unwrap_err();
        assert!(!error.is_timeout(), "{reset:?}: {error:?}");
        assert_eq!(capture.received()[0].body, kept, "{reset:?}");
    }
}

#[tokio::test]
async fn http_keeps_path_headers_and_body_as_sent() {
    let capture = Capture::http(|_| Answer::status(204)).await.unwrap();
    let body = gzip(b"logs");
    let headers = [("content-encoding", "gzip"), ("x-scope-orgid", "shop")];
    let response =
        client::post(capture.address(), "/v1/logs?x=1", &headers, body.clone()).await.unwrap();
    assert_eq!(response.status, 204);
    let received = capture.received();
    assert_eq!(received[0].path, "/v1/logs");
    assert_eq!(received[0].headers["content-encoding"], "gzip");
    assert_eq!(received[0].body, body);
    capture.forget();
    assert!(capture.received().is_empty());
}

#[tokio::test]
async fn http_answers_as_told() {
    let capture = Capture::http(|_| {
        Answer::status(429)
            .header("retry-after", "2")
            .body("too many")
            .after(Duration::from_millis(200))
    })
    .await
    .unwrap();
    let sent = Instant::now();
    let response = client::post(capture.address(), "/", &[], "x").await.unwrap();
    assert!(sent.elapsed() >= Duration::from_millis(200));
    assert_eq!((response.status.as_u16(), &response.body[..]), (429, &b"too many"[..]));
    assert_eq!(response.headers["retry-after"], "2");
}

#[tokio::test]
async fn http_breaks_off_where_it_is_told() {
    for reset in [Reset::InRequest, Reset::BeforeAnswer, Reset::InAnswer] {
        let capture = Capture::http(move |_| Answer::http_ok().body("0123456789").reset(reset))
            .await
            .unwrap();
        client::post(capture.address(), "/", &[], "body").await.unwrap_err();
        assert_eq!(capture.received()[0].body, "body", "{reset:?}");
    }
}

#[tokio::test]
async fn a_half_answer_is_seen_before_the_reset() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let capture = Capture::http(|_| Answer::http_ok().body("0123456789").reset(Reset::InAnswer))
        .await
        .unwrap();
    let mut stream = TcpStream::connect(capture.address()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    assert!(answer.contains("content-length: 10") && answer.ends_with("\r\n01234"), "{answer}");
}

#[tokio::test]
async fn a_capture_dies_and_comes_back_on_its_port() {
    let mut capture = Capture::http(|_| Answer::http_ok()).await.unwrap();
    client::post(capture.address(), "/before", &[], "").await.unwrap();
    capture.stop().await;
    client::post(capture.address(), "/down", &[], "").await.unwrap_err();
    capture.resume().await.unwrap();
    client::post(capture.address(), "/after", &[], "").await.unwrap();
    let paths: Vec<String> = capture.received().into_iter().map(|it| it.path).collect();
    assert_eq!(paths, ["/before", "/after"]);
    let late = capture.wait_for(3, Duration::from_millis(200)).await.unwrap_err();
    assert!(late.to_string().contains("/after"), "{late}");
}
