use std::net::SocketAddr;

use obspipe_model::Signal;
use obspipe_model::catalogue::Class;

use super::*;
use crate::configuration;
use crate::flow::account::Peer;
use crate::flow::chunk::{Chunk, Hold};
use crate::testing::request;

/// One pipeline of spans to a backend; 192.0.2.1 is nobody's (RFC 5737) and port 9 of this machine
/// nobody listens on.
fn to(endpoint: &str) -> obspipe_model::Checked {
    let text = format!(
        "yaml:{{receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:0'}}}}}}}}, \
         exporters: {{otlp: {{endpoint: '{endpoint}', tls: {{insecure: true}}, \
         retry_on_failure: {{initial_interval: 20ms, max_interval: 20ms}}}}}}, \
         service: {{telemetry: {{metrics: {{level: none}}}}, \
         pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}}}}}"
    );
    let raw = configuration::load(&[text], &[]).unwrap();
    configuration::checked(&raw, None).unwrap().0
}

fn start(checked: &obspipe_model::Checked) -> Arc<Service> {
    build::prepare(checked, Arc::default()).unwrap().start()
}

/// Hands three spans to the pipeline, as a receiver does.
fn admit(service: &Service) {
    let bytes = request(Signal::Traces, &["a", "b", "c"]);
    let mut permit = service.account.permit(Signal::Traces, &Arc::new(Peer::default()));
    permit.set(bytes.len());
    let weight = bytes.len();
    let hold = Arc::new(Hold { permit, receipt: None });
    let chunk = Chunk { bytes, items: 3, context: None, hold, weight };
    service.receivers[0].inlets.of(Signal::Traces).unwrap().admit(chunk).unwrap();
}

/// A backend that takes every call, on a port of its own.
async fn backend() -> SocketAddr {
    use crate::net::body::Pieces;
    use crate::net::serve::{Answering, From, Service as Answers, Serving, serve};
    struct Takes;
    impl Answers for Takes {
        fn answer(
            self: Arc<Self>,
            request: http::Request<hyper::body::Incoming>,
            _: From,
        ) -> Answering {
            Box::pin(async move {
                use http_body_util::BodyExt as _;
                let _ = request.into_body().collect().await;
                let mut trailers = http::HeaderMap::new();
                trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
                let body = Pieces::from(crate::net::grpc::prefix(false, 0)).trailers(trailers);
                http::Response::new(body)
            })
        }
    }
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let serving = Serving { http2_only: true, ..Serving::default() };
    serve(Arc::new(socket), serving, Arc::new(Arc::new(Takes)), &Scope::default());
    address
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not in time: {what}");
}

#[tokio::test]
async fn an_exporter_is_replaced_and_nothing_else_restarts() {
    let service = start(&to("127.0.0.1:9"));
    admit(&service);
    until("it fails", || service.snapshot().exporters[0].failing).await;
    // More than its consumers can have under way: some wait.
    (0..20).for_each(|_| admit(&service));
    let before = (
        service.receivers[0].scope.running(),
        Arc::as_ptr(&service.receivers[0].inlets),
        Arc::as_ptr(&service.pipelines[0].entry),
    );
    let address = backend().await;
    let other = to(&address.to_string());
    let id: ComponentId = "otlp".parse().unwrap();
    let settings = other.component(Class::Exporter, &id).unwrap();
    service.replace_exporter(&id, settings).unwrap();
    admit(&service);
    let ledger = service.pipelines[0].ledgers[0].clone();
    // What was under way to the old address is still tried there: ten consumers, one load each.
    until("what waited is sent", || ledger.balance().sent >= 33).await;
    let after = (
        service.receivers[0].scope.running(),
        Arc::as_ptr(&service.receivers[0].inlets),
        Arc::as_ptr(&service.pipelines[0].entry),
    );
    assert_eq!(before, after);
    let balance = ledger.balance();
    assert!(balance.holds(), "{balance:?}");
    assert_eq!(balance.entered, 66);
}

#[tokio::test]
async fn settings_that_are_the_same_replace_nothing() {
    let checked = to("127.0.0.1:9");
    let service = start(&checked);
    let id: ComponentId = "otlp".parse().unwrap();
    let settings = checked.component(Class::Exporter, &id).unwrap();
    service.replace_exporter(&id, settings).unwrap();
    assert!(!service.exporters()[&id].scope.retired.is_cancelled());
    let unknown: ComponentId = "otlp/none".parse().unwrap();
    let error = service.replace_exporter(&unknown, settings).unwrap_err();
    assert_eq!(error.to_string(), "exporters.otlp/none is not running");
}

#[tokio::test]
async fn draining_sends_what_there_is() {
    let address = backend().await;
    let service = start(&to(&address.to_string()));
    (0..50).for_each(|_| admit(&service));
    let left = service.drain(Duration::from_secs(20)).await;
    assert!(left.is_empty(), "{left:?}");
    let balance = service.pipelines[0].ledgers[0].balance();
    assert_eq!((balance.entered, balance.sent), (150, 150), "{balance:?}");
    assert_eq!(service.account.used(), 0);
    assert!(!service.is_ready());
}

#[tokio::test]
async fn draining_tells_what_it_left() {
    let service = start(&to("127.0.0.1:9"));
    (0..20).for_each(|_| admit(&service));
    let left = service.drain(Duration::from_millis(300)).await;
    let place = ("traces".to_owned(), "otlp".to_owned());
    assert_eq!(left, BTreeMap::from([(place, 60)]));
    let balance = service.pipelines[0].ledgers[0].balance();
    assert!(balance.holds(), "{balance:?}");
    assert_eq!(balance.dropped["shutdown"], 60, "{balance:?}");
}
