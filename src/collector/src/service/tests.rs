//! Collectors as they are configured, between real clients and backends.

mod pages;
mod replace;

use std::net::SocketAddr;
use std::sync::atomic::AtomicU32;

use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use obspipe_model::settings::ListenAddress;
use obspipe_model::{Checked, Signal};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::configuration;
use crate::net::body::Pieces;
use crate::net::grpc::{Code, PREFIX, Status, prefix};
use crate::net::serve::{Answering, From, Service as Answers, Serving, serve};
use crate::testing::{names, numbered, request};

/// A backend that takes OTLP over gRPC and keeps the names.
struct Sink {
    names: Mutex<Vec<String>>,
    /// What it answers, if not that it took it.
    refusing: Mutex<Option<Status>>,
    requests: AtomicU32,
}

impl Answers for Sink {
    fn answer(self: Arc<Self>, request: Request<Incoming>, _: From) -> Answering {
        Box::pin(async move {
            self.requests.fetch_add(1, Relaxed);
            let signal = match request.uri().path().split('.').nth(3) {
                Some("trace") => Signal::Traces,
                Some("metrics") => Signal::Metrics,
                _ => Signal::Logs,
            };
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let refusing = self.refusing.lock().unwrap().clone();
            let Some(status) = refusing else {
                self.names.lock().unwrap().extend(names(signal, &body[PREFIX..]));
                let trailers = Status::new(Code::Ok, "").trailers();
                return Response::new(Pieces::from(prefix(false, 0)).trailers(trailers));
            };
            let mut response = Response::new(Pieces::default());
            response.headers_mut().extend(status.trailers());
            response
        })
    }
}

impl Sink {
    /// A backend at work, at this address.
    async fn start() -> (Arc<Self>, SocketAddr) {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
        let address = listener.local_addr().unwrap();
        let sink = Arc::new(Self {
            names: Mutex::default(),
            refusing: Mutex::default(),
            requests: AtomicU32::new(0),
        });
        serve(listener, Serving::default(), Arc::new(sink.clone()), &Scope::default());
        (sink, address)
    }

    fn refuse(&self, code: Option<Code>) {
        *self.refusing.lock().unwrap() = code.map(|code| Status::new(code, "says the test"));
    }

    /// What it got, sorted.
    fn names(&self) -> Vec<String> {
        let mut names = self.names.lock().unwrap().clone();
        names.sort();
        names
    }
}

fn checked(yaml: &str) -> Checked {
    let raw = configuration::load(&[format!("yaml:{yaml}")], &[]).unwrap();
    match configuration::checked(&raw, None) {
        Ok((checked, _)) => checked,
        Err(problems) => panic!("{problems:?}"),
    }
}

fn start(yaml: &str) -> (Arc<Service>, SocketAddr) {
    let listeners = Arc::new(Listeners::default());
    let checked = checked(yaml);
    let service = build::prepare(&checked, listeners.clone()).unwrap().start();
    let address = listeners.open(&ListenAddress::new("127.0.0.1", 0)).unwrap().address().unwrap();
    (service, address)
}

/// A receiver and an exporter of OTLP with these settings, for traces.
fn pipeline(backend: SocketAddr, settings: &str, processors: &str) -> String {
    let defined = match processors {
        "" => "",
        _ => {
            "
processors:
  batch: {timeout: 50ms, send_batch_size: 100, send_batch_max_size: 100}
  memory_limiter: {check_interval: 1s, limit_mib: 200}"
        }
    };
    format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: 127.0.0.1:0}}}}}}}}{defined}
exporters:
  otlp:
    endpoint: {backend}
    tls: {{insecure: true}}
    compression: none
    retry_on_failure: {{initial_interval: 10ms, max_interval: 50ms}}
    {settings}
service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [otlp]}}}}}}
"
    )
}

const ALL: &str = "memory_limiter, batch";

struct Client(http2::SendRequest<Pieces>);

impl Client {
    async fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let io = TokioIo::new(stream);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        Self(sender)
    }

    /// Sends spans of these names.
    async fn send(&mut self, names: &[String]) -> Status {
        let message = request(Signal::Traces, names);
        let body = Pieces::new([prefix(false, message.len()), message]);
        let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        let request = Request::post(format!("http://test{path}"))
            .header("content-type", "application/grpc")
            .body(body)
            .unwrap();
        self.0.ready().await.expect("the connection is open");
        let (head, body) = self.0.send_request(request).await.unwrap().into_parts();
        let collected = body.collect().await.unwrap();
        let trailers: HeaderMap = collected.trailers().cloned().unwrap_or(head.headers);
        Status::read(&trailers).unwrap()
    }
}

fn is_taken(status: &Status) -> bool {
    status.code == Code::Ok
}

/// The one ledger's balance.
fn balance(service: &Service) -> crate::flow::ledger::Balance {
    let balance = service.pipelines[0].ledgers[0].balance();
    assert!(balance.holds(), "{balance:?}");
    balance
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let met = tokio::time::timeout(Duration::from_secs(10), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(met.await.is_ok(), "{what} does not come");
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn built_from_text_it_loses_nothing() {
    let (sink, backend) = Sink::start().await;
    let (service, address) = start(&pipeline(backend, "", ALL));
    assert!(service.is_ready());
    let client = |n: usize| async move {
        let mut client = Client::to(address).await;
        for round in 0..20 {
            assert!(is_taken(&client.send(&numbered(&format!("{n}-{round}"), 37)).await));
        }
    };
    let clients: Vec<_> = (0..5).map(|n| tokio::spawn(client(n))).collect();
    for client in clients {
        client.await.unwrap();
    }
    let left = service.drain(LONG).await;
    assert!(left.is_empty(), "{left:?}");
    assert!(!service.is_ready());
    let mut expected: Vec<String> = (0..5)
        .flat_map(|n| (0..20).flat_map(move |round| numbered(&format!("{n}-{round}"), 37)))
        .collect();
    expected.sort();
    assert_eq!(sink.names(), expected);
    let balance = balance(&service);
    assert_eq!((balance.entered, balance.sent, balance.queued), (3700, 3700, 0));
    assert_eq!(service.account.used(), 0);
    // Batches of at most a hundred, and no request for each client's.
    assert!((37..60).contains(&sink.requests.load(Relaxed)), "{:?}", sink.requests);
    service.close().await;
}

#[tokio::test]
async fn what_a_backend_does_not_take_for_a_while_arrives_later() {
    let (sink, backend) = Sink::start().await;
    sink.refuse(Some(Code::Unavailable));
    let (service, address) = start(&pipeline(backend, "", ALL));
    let mut client = Client::to(address).await;
    assert!(is_taken(&client.send(&numbered("x", 250)).await));
    until("a second try", || sink.requests.load(Relaxed) >= 6).await;
    assert!(service.is_ready(), "a backend that is down does not unready");
    assert_eq!(balance(&service).sent, 0);
    let failure = service.snapshot().exporters[0].failure.clone();
    assert_eq!(failure.as_deref(), Some("Unavailable: says the test"));
    sink.refuse(None);
    assert!(service.drain(LONG).await.is_empty());
    assert_eq!(sink.names().len(), 250);
    assert_eq!(service.snapshot().exporters[0].failure, None);
}

#[tokio::test]
async fn what_cannot_be_sent_until_the_deadline_is_counted_and_told() {
    let (sink, backend) = Sink::start().await;
    sink.refuse(Some(Code::Unavailable));
    let (service, address) = start(&pipeline(backend, "", ALL));
    let mut client = Client::to(address).await;
    assert!(is_taken(&client.send(&numbered("x", 250)).await));
    let began = Instant::now();
    let left = service.drain(Duration::from_millis(400)).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let expected = Left::from([(("traces".to_owned(), "otlp".to_owned()), 250)]);
    assert_eq!(left, expected);
    let balance = balance(&service);
    assert_eq!((balance.dropped["shutdown"], balance.in_flight, balance.queued), (250, 0, 0));
    assert_eq!(service.account.used(), 0);
}

/// A client in the middle of a request takes no time from sending what is here already.
#[tokio::test]
async fn a_client_that_does_not_finish_holds_nothing_up() {
    use tokio::io::AsyncWriteExt as _;
    let (sink, backend) = Sink::start().await;
    let (service, address) = start(&pipeline(backend, "", ALL));
    assert!(is_taken(&Client::to(address).await.send(&numbered("x", 10)).await));
    let mut stuck = TcpStream::connect(address).await.unwrap();
    stuck.write_all(b"PRI * HTTP/2").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let left = service.drain(Duration::from_secs(4)).await;
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(sink.names().len(), 10);
}

#[tokio::test]
async fn a_pipeline_without_processors_and_exporters_done_at_once() {
    let yaml = "
receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:0}}}}
exporters: {nop: }
service: {pipelines: {traces: {receivers: [otlp], exporters: [nop]}}}
";
    let (service, address) = start(yaml);
    assert!(is_taken(&Client::to(address).await.send(&numbered("x", 10)).await));
    assert_eq!(balance(&service).sent, 10);
    assert!(service.drain(LONG).await.is_empty());
}

/// sending_queue.batch gathers before the queue, sending_queue off answers with the backend.
#[tokio::test]
async fn queues_are_as_configured() {
    let (sink, backend) = Sink::start().await;
    let batch = "sending_queue: {batch: {flush_timeout: 60s, min_size: 1000}}";
    let (service, address) = start(&pipeline(backend, batch, ""));
    let mut client = Client::to(address).await;
    for n in 0..10 {
        assert!(is_taken(&client.send(&numbered(&format!("{n}"), 10)).await));
    }
    assert!(service.drain(LONG).await.is_empty());
    assert_eq!(sink.names().len(), 100);
    assert_eq!(sink.requests.load(Relaxed), 1);

    let (service, address) = start(&pipeline(backend, "sending_queue: {enabled: false}", ""));
    let mut client = Client::to(address).await;
    assert!(is_taken(&client.send(&numbered("x", 10)).await));
    assert_eq!(balance(&service).sent, 10, "it was delivered when it was answered");
    sink.refuse(Some(Code::PermissionDenied));
    let status = client.send(&numbered("x", 10)).await;
    assert_eq!(status.code, Code::Internal, "{status:?}");
    assert_eq!(balance(&service).dropped["rejected_by_backend"], 10);
}

#[tokio::test]
async fn memory_limits_are_of_the_signals_that_list_them() {
    let yaml = "
receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:0}}}}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 100, spike_limit_mib: 20}
  memory_limiter/less: {check_interval: 1s, limit_mib: 50, spike_limit_mib: 20}
exporters: {nop: }
service:
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [nop]}
    traces/2: {receivers: [otlp], processors: [memory_limiter/less], exporters: [nop]}
    logs: {receivers: [otlp], processors: [memory_limiter], exporters: [nop]}
    metrics: {receivers: [otlp], exporters: [nop]}
";
    let (service, _) = start(yaml);
    let [traces, metrics, logs] = service.snapshot().memory.limit_bytes;
    let mib = 1024 * 1024;
    assert!(traces <= 30 * mib, "the least of the two: {traces}");
    assert!(logs <= 80 * mib && logs >= 8 * mib && logs >= traces, "{logs}");
    let container = memory::container();
    assert!(metrics <= memory::ceiling(container, 0) && metrics > logs, "{metrics}");
    service.drain(LONG).await;
}

/// Short of memory is refused, and once something has left it is taken again.
#[tokio::test]
async fn a_backend_that_is_down_fills_its_share_and_the_client_keeps_the_rest() {
    let (sink, backend) = Sink::start().await;
    sink.refuse(Some(Code::Unavailable));
    let settings = "sending_queue: {num_consumers: 1, sizer: items, queue_size: 300}";
    let (service, address) = start(&pipeline(backend, settings, ""));
    let mut client = Client::to(address).await;
    let (mut taken, mut refused) = (Vec::new(), 0);
    for n in 0..20 {
        let names = numbered(&format!("{n:02}"), 100);
        let status = client.send(&names).await;
        match is_taken(&status) {
            true => taken.extend(names),
            false => {
                assert_eq!(status.code, Code::Unavailable);
                assert_eq!(status.retry_after, Some(Duration::from_secs(1)));
                refused += 1;
            }
        }
    }
    // Three in the queue, one or so under way.
    assert!((15..=17).contains(&refused), "{refused}");
    sink.refuse(None);
    until("room", || balance(&service).queued == 0).await;
    taken.extend(numbered("last", 1));
    assert!(is_taken(&client.send(&numbered("last", 1)).await));
    assert!(service.drain(LONG).await.is_empty());
    taken.sort();
    assert_eq!(sink.names(), taken, "what was taken arrived, what was refused did not");
    let snapshot = service.snapshot();
    let grpc = &snapshot.receivers[0];
    assert_eq!((grpc.accepted[0], grpc.refused[0]), (taken.len() as u64, refused * 100));
}

fn refusal(yaml: &str) -> String {
    let checked = checked(yaml);
    let prepared = build::prepare(&checked, Arc::new(Listeners::default()));
    prepared.err().unwrap().to_string()
}

#[tokio::test]
async fn what_cannot_be_prepared_is_told_with_its_path_and_nothing_runs() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let yaml = format!(
        "
receivers: {{otlp/in: {{protocols: {{grpc: {{endpoint: 127.0.0.1:{port}}}}}}}}}
exporters: {{nop: }}
service: {{pipelines: {{traces: {{receivers: [otlp/in], exporters: [nop]}}}}}}
"
    );
    let said = refusal(&yaml);
    let expected = format!("receivers.otlp/in: cannot listen on 127.0.0.1:{port}: Address already");
    assert!(said.starts_with(&expected), "{said}");

    let (_, backend) = Sink::start().await;
    let tls = "headers: {x: y}";
    let yaml = pipeline(backend, tls, "")
        .replace("tls: {insecure: true}", "tls: {ca_file: /nowhere/ca.crt}");
    let said = refusal(&yaml);
    assert!(said.starts_with("exporters.otlp: tls.ca_file: cannot read /nowhere/ca.crt"), "{said}");
}

/// A page that others read is up until all is sent, and its readers hold nothing up.
#[tokio::test]
async fn an_exporter_with_a_page_does_not_take_all_of_the_time() {
    let yaml = "
receivers: {otlp: {protocols: {grpc: {endpoint: 127.0.0.1:0}}}}
exporters: {prometheus: {endpoint: 127.0.0.2:0}}
service: {pipelines: {metrics: {receivers: [otlp], exporters: [prometheus]}}}
";
    let (service, _) = start(yaml);
    let page = service.listeners.open(&ListenAddress::new("127.0.0.2", 0)).unwrap();
    let reader = TcpStream::connect(page.address().unwrap()).await.unwrap();
    let began = Instant::now();
    assert!(service.drain(LONG).await.is_empty());
    service.close().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(reader);
}

#[test]
fn a_share_is_half_of_the_least_limit_for_all_queues() {
    let account = Account::new(1000);
    account.limit(Signal::Logs, 600);
    assert_eq!(exporters_share(&account, 3), 100);
    assert_eq!(exporters_share(&account, 0), 300);
}
