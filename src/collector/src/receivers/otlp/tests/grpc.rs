use std::convert::Infallible;

use ::http::{HeaderMap, Request, Response, StatusCode};
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use obspipe_model::components::otlp_receiver::{ServerKeepalive, ServerParameters};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use tokio::net::TcpStream;

use super::*;
use crate::flow::receipt::Outcome;
use crate::net::body::Pieces;
use crate::net::grpc::{Code, PREFIX, Status, prefix};

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

type Client = http2::SendRequest<Pieces>;

async fn client(address: SocketAddr) -> Client {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn request_of(path: &str, body: Pieces) -> Request<Pieces> {
    Request::post(format!("http://test{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(body)
        .unwrap()
}

fn framed(compressed: bool, message: &Bytes) -> Pieces {
    Pieces::new([prefix(compressed, message.len()), message.clone()])
}

/// The status of a call, wherever it stands, and the message of its answer.
async fn result(response: Response<Incoming>) -> (Status, Option<Bytes>) {
    assert_eq!(response.status(), StatusCode::OK, "gRPC's errors are in its own status");
    assert_eq!(response.headers()["content-type"], "application/grpc");
    let (head, body) = response.into_parts();
    let collected = body.collect().await.unwrap();
    let trailers: HeaderMap = collected.trailers().cloned().unwrap_or(head.headers);
    let bytes = collected.to_bytes();
    let message = (!bytes.is_empty()).then(|| bytes.slice(PREFIX..));
    (Status::read(&trailers).expect("there is a status"), message)
}

async fn send(client: &mut Client, request: Request<Pieces>) -> Status {
    client.ready().await.unwrap();
    result(client.send_request(request).await.unwrap()).await.0
}

async fn call(address: SocketAddr, path: &str, body: Pieces) -> Status {
    send(&mut client(address).await, request_of(path, body)).await
}

fn is_ok(status: &Status) -> bool {
    *status == Status::new(Code::Ok, "")
}

#[tokio::test]
async fn a_call_is_taken_and_answered_with_a_message() {
    let receiver = start();
    let mut client = client(receiver.grpc).await;
    let request = request_of(TRACES, framed(false, &traces(3)));
    let (status, message) = result(client.send_request(request).await.unwrap()).await;
    assert!(is_ok(&status), "{status:?}");
    let answer = ExportTraceServiceResponse::decode(message.unwrap()).unwrap();
    assert_eq!(answer.partial_success, None);
    assert_eq!(receiver.kept.names(), numbered("span", 3));
    let bytes = receiver.kept.take()[0].bytes.clone();
    assert_eq!(bytes, traces(3), "as it arrived");
}

#[tokio::test]
async fn a_connection_carries_many_calls_of_all_signals_that_have_a_pipeline() {
    let receiver = start();
    let mut client = client(receiver.grpc).await;
    for _ in 0..10 {
        let logs = request(Signal::Logs, &["line"]);
        assert!(is_ok(&send(&mut client, request_of(LOGS, framed(false, &logs))).await));
        assert!(is_ok(&send(&mut client, request_of(TRACES, framed(false, &traces(1)))).await));
    }
    assert_eq!(receiver.kept.loads(), 20);
    let metrics = request(Signal::Metrics, &["point"]);
    let status = send(&mut client, request_of(METRICS, framed(false, &metrics))).await;
    assert_eq!(status, Status::new(Code::Unimplemented, "no pipeline takes metrics"));
}

#[tokio::test]
async fn an_empty_request_is_taken_and_is_nothing() {
    let receiver = start();
    assert!(is_ok(&call(receiver.grpc, TRACES, framed(false, &Bytes::new())).await));
    assert!(is_ok(&call(receiver.grpc, TRACES, framed(false, &traces(0))).await));
    assert_eq!((receiver.kept.loads(), receiver.account.used()), (0, 0));
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let receiver = start();
    for path in ["/opentelemetry.proto.collector.trace.v1.TraceService/Import", "/", "/x/y"] {
        let status = call(receiver.grpc, path, framed(false, &traces(1))).await;
        assert_eq!(status, Status::new(Code::Unimplemented, format!("unknown method {path}")));
    }
}

#[tokio::test]
async fn compressed_messages() {
    let receiver = start();
    let mut client = client(receiver.grpc).await;
    let encodings =
        [("gzip", Encoding::Gzip), ("zstd", Encoding::Zstd), ("snappy", Encoding::Snappy)];
    for (name, encoding) in encodings {
        let packed = packed(encoding, &traces(1000)).await;
        let mut request = request_of(TRACES, framed(true, &packed));
        request.headers_mut().insert("grpc-encoding", name.parse().unwrap());
        assert!(is_ok(&send(&mut client, request).await), "{name}");
        assert_eq!(receiver.kept.names(), numbered("span", 1000));
        receiver.kept.take();
        // A message of the same call may also be as it is.
        let mut request = request_of(TRACES, framed(false, &traces(1)));
        request.headers_mut().insert("grpc-encoding", name.parse().unwrap());
        assert!(is_ok(&send(&mut client, request).await), "{name}");
        assert_eq!(receiver.kept.take().len(), 1);
    }
}

#[tokio::test]
async fn encodings_that_are_none_of_grpcs() {
    let receiver = start();
    let mut client = client(receiver.grpc).await;
    for name in ["br", "lz4", "deflate", "gzip,gzip"] {
        let mut request = request_of(TRACES, framed(true, &traces(1)));
        request.headers_mut().insert("grpc-encoding", name.parse().unwrap());
        client.ready().await.unwrap();
        let response = client.send_request(request).await.unwrap();
        assert_eq!(response.headers()["grpc-accept-encoding"], "identity,gzip,zstd,snappy");
        let (status, _) = result(response).await;
        assert_eq!(status.code, Code::Unimplemented, "{name}: {status:?}");
    }
    // Compressed, and not said how; and a first byte that is neither.
    let status = send(&mut client, request_of(TRACES, framed(true, &traces(1)))).await;
    assert_eq!(status.code, Code::InvalidArgument, "{status:?}");
    let message = traces(1);
    let mut head = prefix(false, message.len()).to_vec();
    head[0] = 2;
    let body = Pieces::new([head.into(), message]);
    let status = send(&mut client, request_of(TRACES, body)).await;
    assert_eq!(status.code, Code::InvalidArgument, "{status:?}");
    assert_eq!(receiver.kept.loads(), 0);
}

#[tokio::test]
async fn what_is_no_otlp_is_an_invalid_argument() {
    let receiver = start();
    let cut = traces(10).slice(..20);
    let status = call(receiver.grpc, TRACES, framed(false, &cut)).await;
    assert_eq!(status.code, Code::InvalidArgument);
    assert!(status.message.starts_with("the request is no OTLP: "), "{status:?}");
    assert_eq!(status.retry_after, None);
    let mut request = request_of(TRACES, framed(true, &Bytes::from_static(b"no gzip")));
    request.headers_mut().insert("grpc-encoding", "gzip".parse().unwrap());
    let status = send(&mut client(receiver.grpc).await, request).await;
    assert_eq!(status.code, Code::InvalidArgument);
    assert_eq!(refused(&receiver)[0], (0, 2));
    assert_eq!((receiver.kept.loads(), receiver.account.used()), (0, 0));
}

#[tokio::test]
async fn frames_that_are_cut_short_lie_or_are_two() {
    let receiver = start();
    let mut client = client(receiver.grpc).await;
    let message = traces(3);
    let two = [prefix(false, message.len()), message.clone(), prefix(false, 0)];
    let bodies = [
        Pieces::default(),
        Pieces::new([Bytes::from_static(b"\0\0\0")]),
        Pieces::new([prefix(false, message.len())]),
        Pieces::new([prefix(false, message.len() + 1), message.clone()]),
        Pieces::new([prefix(false, message.len() - 1), message.clone()]),
        Pieces::new(two),
        Pieces::new([prefix(false, message.len()), message.clone(), Bytes::from_static(b"x")]),
    ];
    for (number, body) in bodies.into_iter().enumerate() {
        let status = send(&mut client, request_of(TRACES, body)).await;
        assert_eq!(status.code, Code::InvalidArgument, "{number}: {status:?}");
    }
    // The same byte by byte is whole.
    let all = [&prefix(false, message.len())[..], &message].concat();
    let body = Pieces::new(all.iter().map(|byte| Bytes::from(vec![*byte])));
    assert!(is_ok(&send(&mut client, request_of(TRACES, body)).await));
    assert_eq!((receiver.kept.loads(), refused(&receiver)[0]), (1, (0, 7)));
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_without_advice_to_try_again() {
    let settings = GrpcServer { max_recv_msg_size_mib: 1, ..GrpcServer::default() };
    let receiver = start_with(settings, HttpServer::default(), ROOM, None);
    // Says 4 GiB: refused before anything comes of it.
    let status = call(receiver.grpc, TRACES, Pieces::new([prefix(false, usize::MAX)])).await;
    assert_eq!((status.code, status.retry_after), (Code::ResourceExhausted, None));
    assert!(status.message.contains("4294967295 bytes"), "{status:?}");
    // Exactly as large as allowed by its frame, and one more.
    let body = |length: usize| Pieces::new([prefix(false, length), vec![0u8; length].into()]);
    let status = call(receiver.grpc, TRACES, body(1 << 20)).await;
    assert_eq!(status.code, Code::InvalidArgument, "it is looked at: {status:?}");
    let status = call(receiver.grpc, TRACES, body((1 << 20) + 1)).await;
    assert_eq!(status.code, Code::ResourceExhausted, "{status:?}");
    // Small on the wire, large inflated.
    let bomb = packed(Encoding::Gzip, &vec![0u8; 2 << 20].into()).await;
    let mut request = request_of(TRACES, framed(true, &bomb));
    request.headers_mut().insert("grpc-encoding", "gzip".parse().unwrap());
    let status = send(&mut client(receiver.grpc).await, request).await;
    assert_eq!((status.code, status.retry_after), (Code::ResourceExhausted, None));
    assert_eq!((receiver.account.used(), refused(&receiver)[0]), (0, (0, 4)));
}

/// Unavailable, with the delay in both trailers, so that every SDK finds it.
async fn is_busy(address: SocketAddr, request: Request<Pieces>) {
    let mut client = client(address).await;
    let response = client.send_request(request).await.unwrap();
    let headers = response.headers().clone();
    assert!(headers.contains_key("grpc-status-details-bin"), "{headers:?}");
    assert!(headers.contains_key("google.rpc.retryinfo-bin"), "{headers:?}");
    let (status, _) = result(response).await;
    assert_eq!(status.code, Code::Unavailable, "{status:?}");
    assert_eq!(status.retry_after, Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn short_of_memory_is_unavailable_for_a_while() {
    let message = traces(1000);
    let receiver =
        start_with(GrpcServer::default(), HttpServer::default(), message.len() * 2, None);
    let held = receiver.account.charge(message.len() + 1);
    is_busy(receiver.grpc, request_of(TRACES, framed(false, &message))).await;
    // Enough for it as it comes, not as it is.
    let packed = packed(Encoding::Gzip, &message).await;
    let mut request = request_of(TRACES, framed(true, &packed));
    request.headers_mut().insert("grpc-encoding", "gzip".parse().unwrap());
    is_busy(receiver.grpc, request).await;
    assert_eq!(refused(&receiver)[0], (2, 0));
    assert_eq!(receiver.account.used(), message.len() + 1, "what was refused holds nothing");
    drop(held);
    assert!(is_ok(&call(receiver.grpc, TRACES, framed(false, &message)).await));
    assert_eq!(receiver.account.used(), message.len());
    receiver.kept.take();
    assert_eq!(receiver.account.used(), 0);
}

#[tokio::test]
async fn a_full_queue_is_unavailable_for_a_while() {
    let queue = small_queue(false, false);
    let to = Some(To::Queue(queue.clone()));
    let receiver = start_with(GrpcServer::default(), HttpServer::default(), ROOM, to);
    assert!(is_ok(&call(receiver.grpc, TRACES, framed(false, &traces(2))).await));
    is_busy(receiver.grpc, request_of(TRACES, framed(false, &traces(2)))).await;
    let refused = &receiver.inlets.counters.grpc.refused;
    assert_eq!(refused[0].load(std::sync::atomic::Ordering::Relaxed), 2);
    queue.pop().await.unwrap();
    assert!(is_ok(&call(receiver.grpc, TRACES, framed(false, &traces(2))).await));
}

/// sending_queue off, or wait_for_result: the answer is the backend's.
#[tokio::test]
async fn where_configured_the_answer_is_the_backends() {
    let queue = small_queue(true, true);
    let to = Some(To::Queue(queue.clone()));
    let receiver = start_with(GrpcServer::default(), HttpServer::default(), ROOM, to);
    let backend = tokio::spawn(async move {
        let outcomes =
            [None, Some(Outcome::Retry("later".into())), Some(Outcome::Refused("401".into()))];
        for outcome in outcomes {
            let waiting = queue.pop().await.unwrap();
            let receipt = waiting.load.chunks[0].hold.receipt.as_ref().unwrap();
            outcome.into_iter().for_each(|outcome| receipt.fail(outcome));
        }
    });
    assert!(is_ok(&call(receiver.grpc, TRACES, framed(false, &traces(2))).await));
    is_busy(receiver.grpc, request_of(TRACES, framed(false, &traces(2)))).await;
    let status = call(receiver.grpc, TRACES, framed(false, &traces(2))).await;
    assert_eq!(status, Status::new(Code::Internal, "401"));
    backend.await.unwrap();
    let accepted = &receiver.inlets.counters.grpc.accepted;
    assert_eq!(accepted[0].load(std::sync::atomic::Ordering::Relaxed), 6);
}

#[tokio::test]
async fn what_is_no_grpc_is_answered_in_http() {
    let receiver = start();
    let mut client = client(receiver.grpc).await;
    let mut status = async |method: &str, kind: &str| {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://test{TRACES}"))
            .header("content-type", kind)
            .body(Pieces::default())
            .unwrap();
        client.ready().await.unwrap();
        client.send_request(request).await.unwrap().status().as_u16()
    };
    assert_eq!(status("POST", "application/json").await, 415);
    assert_eq!(status("GET", "application/grpc").await, 405);
    assert_eq!(status("POST", "application/grpc+proto").await, 200);
}

#[tokio::test]
async fn what_is_written_in_parts_is_joined() {
    let receiver = start();
    let whole = traces(2);
    // A ResourceSpans with a second resource behind its spans, which is merged with the first.
    let body = [&whole[2..], &[0x0a, 2, 0x10, 5]].concat();
    let parts = [&[0x0a, u8::try_from(body.len()).unwrap()], &body[..]].concat();
    let parts = Bytes::from(parts);
    assert!(is_ok(&call(receiver.grpc, TRACES, framed(false, &parts)).await));
    let kept = receiver.kept.take()[0].clone();
    let decoded = |bytes: &Bytes| ExportTraceServiceRequest::decode(bytes.clone()).unwrap();
    assert_eq!((kept.items, decoded(&kept.bytes)), (2, decoded(&parts)));
    let spans = &decoded(&kept.bytes).resource_spans[0];
    assert_eq!(spans.resource.as_ref().unwrap().dropped_attributes_count, 5);
    assert!(crate::signal::scan::scan(Signal::Traces, &kept.bytes).unwrap().canonical);
}

#[tokio::test]
async fn the_client_s_metadata_is_kept_only_if_wanted() {
    for wanted in [false, true] {
        let settings = GrpcServer { include_metadata: wanted, ..GrpcServer::default() };
        let receiver = start_with(settings, HttpServer::default(), ROOM, None);
        let mut request = request_of(TRACES, framed(false, &traces(1)));
        request.headers_mut().insert("x-tenant", "blue".parse().unwrap());
        send(&mut client(receiver.grpc).await, request).await;
        let context = receiver.kept.take()[0].context.clone();
        assert_eq!(context.is_some(), wanted);
        if let Some(context) = context {
            assert!(context.values("X-Tenant").eq(["blue"]));
            assert_eq!(context.client, "127.0.0.1");
        }
    }
}

/// A call whose body begins with these pieces and does not end.
async fn endless(address: SocketAddr, pieces: Vec<Bytes>) -> tokio::task::JoinHandle<()> {
    let frames = pieces.into_iter().map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
    let frames = futures::stream::iter(frames.collect::<Vec<_>>());
    let body = StreamBody::new(frames.chain(futures::stream::pending()));
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = Request::post(format!("http://test{TRACES}"))
        .header("content-type", "application/grpc")
        .body(body)
        .unwrap();
    tokio::spawn(async move {
        let _ = sender.send_request(request).await;
    })
}

async fn until_used(account: &Account, used: usize) {
    let reached = tokio::time::timeout(Duration::from_secs(5), async {
        while account.used() != used {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    reached.await.unwrap_or_else(|_| panic!("{} bytes are used, not {used}", account.used()));
}

#[tokio::test]
async fn a_client_that_gives_up_in_the_middle_leaves_nothing() {
    let receiver = start();
    let half = vec![0u8; 500_000];
    let asked = endless(receiver.grpc, vec![prefix(false, 1_000_000), half.into()]).await;
    until_used(&receiver.account, 1_000_000).await;
    asked.abort();
    until_used(&receiver.account, 0).await;
    assert_eq!(receiver.kept.loads(), 0);
}

/// What is in the account is the memory taken, which runs ahead of what was sent, within bounds.
#[tokio::test]
async fn who_announces_much_and_sends_little_takes_little() {
    let receiver = start();
    let little = vec![0u8; 100_000];
    let asked = endless(receiver.grpc, vec![prefix(false, 4 << 20), little.into()]).await;
    let taken = tokio::time::timeout(Duration::from_secs(5), async {
        while receiver.account.used() < 100_000 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    taken.await.unwrap();
    assert!(receiver.account.used() <= 4 * 100_000, "{}", receiver.account.used());
    asked.abort();
    until_used(&receiver.account, 0).await;
}

#[tokio::test]
async fn who_announces_much_and_sends_nothing_takes_nothing_from_others() {
    let receiver = start();
    let asked = endless(receiver.grpc, vec![prefix(false, 4 << 20)]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(receiver.account.used(), 0);
    assert!(is_ok(&call(receiver.grpc, TRACES, framed(false, &traces(1))).await));
    asked.abort();
}

#[tokio::test]
async fn keepalive_settings_reach_the_socket() {
    let server_parameters = ServerParameters {
        max_connection_age: Some(Duration::from_millis(100)),
        ..ServerParameters::default()
    };
    let keepalive = Some(ServerKeepalive { server_parameters, ..ServerKeepalive::default() });
    let settings = GrpcServer { keepalive, ..GrpcServer::default() };
    let receiver = start_with(settings, HttpServer::default(), ROOM, None);
    let mut client = client(receiver.grpc).await;
    assert!(is_ok(&send(&mut client, request_of(TRACES, framed(false, &traces(1)))).await));
    let ended = tokio::time::timeout(Duration::from_secs(5), async {
        while client.ready().await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    ended.await.expect("the connection ends by age");
}
