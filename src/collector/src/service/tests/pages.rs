//! What a running collector shows of itself.

use super::*;
use crate::pages::{Admin, Health, Metrics};
use crate::service::page::{Page, Pages, Shown};

async fn text(shown: Shown) -> String {
    let body = http_body_util::BodyExt::collect(shown.body).await.unwrap();
    String::from_utf8(body.to_bytes().into()).unwrap()
}

#[tokio::test]
async fn ready_while_it_takes_telemetry() {
    let (_, backend) = Sink::start().await;
    let (service, address) = start(&pipeline(backend, "", ALL));
    let admin = Admin(service.clone());
    let status = async |path| admin.page(path, None).await.map(|shown| shown.status.as_u16());
    assert_eq!((status("/livez").await, status("/readyz").await), (Some(200), Some(200)));
    assert_eq!(status("/").await, None);
    service.unready();
    assert_eq!((status("/livez").await, status("/readyz").await), (Some(200), Some(503)));
    // It still takes what comes, while its clients learn of it.
    assert!(is_taken(&Client::to(address).await.send(&numbered("x", 3)).await));
    service.drain(LONG).await;
    assert_eq!((status("/livez").await, status("/metrics").await), (Some(200), Some(200)));
    assert!(Metrics(service).page("/status", None).await.is_none());
}

#[tokio::test]
async fn status_says_what_became_of_every_item() {
    let (sink, backend) = Sink::start().await;
    let (service, address) = start(&pipeline(backend, "", ""));
    let mut client = Client::to(address).await;
    client.send(&numbered("x", 3)).await;
    until("delivery", || balance(&service).sent == 3).await;
    sink.refuse(Some(Code::PermissionDenied));
    client.send(&numbered("y", 4)).await;
    until("refusal", || balance(&service).dropped.len() == 1).await;
    let shown = Admin(service.clone()).page("/status", None).await.unwrap();
    assert_eq!(shown.content_type, "application/json");
    let status: serde_json::Value = serde_json::from_str(&text(shown).await).unwrap();
    let flow = serde_json::json!({
        "pipeline": "traces", "exporter": "otlp", "in": 7, "sent": 3,
        "dropped": {"rejected_by_backend": 4}, "queued": 0, "in_flight": 0,
    });
    assert_eq!(status["flows"], serde_json::json!([flow]));
    assert_eq!(status["ready"], true);
    assert_eq!(status["exporters"][0]["failure"], "PermissionDenied: says the test");
    assert_eq!(status["exporters"][0]["failed"], serde_json::json!([4, 0, 0]));
    assert_eq!(status["receivers"][0]["accepted"], serde_json::json!([7, 0, 0]));
    assert_eq!(status["memory"]["usedBytes"], 0);
    service.drain(LONG).await;
}

#[tokio::test]
async fn health_check_is_otelcols() {
    let (_, backend) = Sink::start().await;
    let (service, _) = start(&pipeline(backend, "", ""));
    let settings = obspipe_model::components::health_check::HealthCheck::default();
    let health = Health { service: service.clone(), settings };
    let shown = health.page("/", None).await.unwrap();
    assert_eq!(shown.status.as_u16(), 200);
    let json: serde_json::Value = serde_json::from_str(&text(shown).await).unwrap();
    assert_eq!(json["status"], "Server available");
    assert!(health.page("/other", None).await.is_none());
    service.drain(LONG).await;
    let shown = health.page("/", None).await.unwrap();
    assert_eq!(shown.status.as_u16(), 503);
    assert!(text(shown).await.contains("Server not available"));
}

#[tokio::test]
async fn pages_over_http() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let (_, backend) = Sink::start().await;
    let (service, _) = start(&pipeline(backend, "", ""));
    let listeners = Listeners::default();
    let pages: Arc<dyn Pages> = Arc::new(Admin(service.clone()));
    let at = ListenAddress::new("127.0.0.1", 0);
    let page = Page::prepare(&at, None, pages, &listeners).unwrap();
    let address = page.address().unwrap();
    page.start(service.pages());
    let ask = async |line: &str| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{line} HTTP/1.1\r\nhost: t\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        said
    };
    let metrics = ask("GET /metrics").await;
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"), "{metrics}");
    assert!(metrics.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert!(metrics.contains("otelcol_process_uptime"));
    let head = ask("HEAD /metrics").await;
    assert!(head.starts_with("HTTP/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(ask("GET /nothing").await.starts_with("HTTP/1.1 404"));
    assert!(ask("POST /metrics").await.starts_with("HTTP/1.1 405"));
    service.drain(LONG).await;
    assert!(ask("GET /readyz").await.starts_with("HTTP/1.1 503"));
    service.close().await;
    assert!(TcpStream::connect(address).await.is_err() || service.pages().running() == 0);
}
