//! The generator against the sink's own server, on one thread.

use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::LocalSet;

use super::*;

const NOW: u64 = 1_700_000_000_000_000_000;

/// A server that answers every request with `status` in the header of an empty answer.
async fn server(grpc_status: &'static str, http_status: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service =
                service_fn(move |request: http::Request<hyper::body::Incoming>| async move {
                    http_body_util::BodyExt::collect(request.into_body()).await?;
                    let answer = http::Response::builder()
                        .status(http_status)
                        .header("grpc-status", grpc_status)
                        .body(Full::new(Bytes::new()));
                    Ok::<_, hyper::Error>(answer.unwrap())
                });
            tokio::task::spawn_local(async move {
                let server = auto::Builder::new(LocalExecutor);
                let _ = server.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    port
}

fn requests(transport: Transport, patch_ids: bool) -> Rc<Requests> {
    let payloads = payload::traces(NOW);
    let none = Compression::None;
    Rc::new(Requests::new(Signal::Traces, transport, none, &payloads, patch_ids).unwrap())
}

fn plan(port: u16, until: Until, rate: Option<f64>) -> Plan {
    Plan { port, connections: 2, concurrency: 2, until, rate }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, future)
}

#[test]
fn accepted_requests_are_counted() {
    block_on(async {
        let port = server("0", 200).await;
        for transport in [Transport::Grpc, Transport::Http] {
            let requests = requests(transport, false);
            let tally = run(&requests, plan(port, Until::Requests(20), None)).await.unwrap();
            assert_eq!((tally.accepted, tally.items), (20, 20 * 512), "{transport:?}");
            assert_eq!(tally.refusals(), 0);
            assert_eq!(tally.latencies.len(), 20);
            assert!(tally.latency_ms(0.5) > 0.0);
        }
    });
}

#[test]
fn refusals_carry_their_code() {
    block_on(async {
        for (transport, code) in [(Transport::Grpc, "grpc 14"), (Transport::Http, "http 503")] {
            let status = if transport == Transport::Grpc { 200 } else { 503 };
            let port = server("14", status).await;
            let requests = requests(transport, false);
            let tally = run(&requests, plan(port, Until::Requests(5), None)).await.unwrap();
            assert_eq!((tally.accepted, tally.items), (0, 0));
            assert_eq!(tally.refused, BTreeMap::from([(code.to_owned(), 5)]));
        }
    });
}

#[test]
fn an_open_loop_keeps_its_rate() {
    block_on(async {
        let port = server("0", 200).await;
        let until = Until::Time(Duration::from_millis(500));
        let requests = requests(Transport::Grpc, false);
        let tally = run(&requests, plan(port, until, Some(100.0))).await.unwrap();
        assert!((40..=50).contains(&tally.accepted), "{}", tally.accepted);
    });
}

#[test]
fn an_unreachable_collector_is_an_error() {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let requests = requests(Transport::Grpc, false);
        assert!(run(&requests, plan(port, Until::Requests(1), None)).await.is_err());
    });
}

#[test]
fn bodies_are_framed_packed_and_patched() {
    let plain = requests(Transport::Grpc, false);
    let (first, items) = plain.take(0).unwrap();
    assert_eq!(items, 512);
    assert_eq!(first, plain.take(payload::VARIANTS).unwrap().0, "the variants come in turn");
    let (compressed, message) = wire::unframe(&first).unwrap();
    assert_eq!((compressed, message), (false, &payload::traces(NOW)[0].bytes[..]));

    let patched = requests(Transport::Grpc, true);
    let again = patched.take(payload::VARIANTS).unwrap().0;
    assert_ne!(patched.take(0).unwrap().0, again);
    assert_eq!(first.len(), again.len());

    let payloads = payload::logs(NOW);
    let gzip = Compression::Gzip;
    let packed = Requests::new(Signal::Logs, Transport::Http, gzip, &payloads, true).unwrap();
    assert_eq!(wire::gunzip(&packed.take(0).unwrap().0).unwrap(), payloads[0].bytes);
}
