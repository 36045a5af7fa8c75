use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use kube::Config;
use tokio::net::TcpListener;

use super::*;

fn resource(name: &str) -> APIResource {
    APIResource { name: name.to_owned(), ..APIResource::default() }
}

#[test]
fn only_optional_kinds_matter() {
    let served = Served::from_kinds([Kind::PodMonitor, Kind::Service]);
    assert!(served.has(Kind::PodMonitor));
    assert!(!served.has(Kind::PrometheusRule));
    assert!(served.has(Kind::ConfigMap));
    assert_eq!(served, Served::from_kinds([Kind::PodMonitor]));
    assert_eq!(served.to_string(), "PodMonitor");
    assert_eq!(Served::default().to_string(), "none");
}

#[test]
fn a_kind_is_served_by_its_own_group_and_not_by_a_subresource() {
    let found = |group: &str, names: &[&str]| {
        let listed: Vec<APIResource> = names.iter().map(|name| resource(name)).collect();
        of_group(group, &listed).collect::<Vec<_>>()
    };
    let group = "monitoring.coreos.com/v1";
    assert_eq!(found(group, &["prometheusrules", "alertmanagers"]), [Kind::PrometheusRule]);
    assert_eq!(
        found(group, &["podmonitors", "prometheusrules"]),
        [Kind::PrometheusRule, Kind::PodMonitor]
    );
    assert_eq!(found(group, &["podmonitors/status"]), []);
    assert_eq!(found(group, &[]), []);
    assert_eq!(found("apps/v1", &["prometheusrules", "daemonsets"]), []);
}

/// What the API server says next.
type Answer = Arc<Mutex<(u16, &'static str)>>;

const BOTH: &str = r#"{"kind":"APIResourceList","apiVersion":"v1",
    "groupVersion":"monitoring.coreos.com/v1","resources":[
    {"name":"podmonitors","singularName":"","namespaced":true,"kind":"PodMonitor","verbs":["get"]},
    {"name":"prometheusrules","singularName":"","namespaced":true,"kind":"PrometheusRule","verbs":["get"]}]}"#;
const FAILURE: &str = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"x",
    "reason":"x","code":500}"#;

/// An API server that gives `answer` to whatever is asked.
async fn api_server(answer: Answer) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                assert_eq!(request.uri().path(), "/apis/monitoring.coreos.com/v1");
                let (status, text) = *answer.lock().unwrap();
                let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
                *response.status_mut() = status.try_into().unwrap();
                async move { Ok::<_, Infallible>(response) }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Client::try_from(Config::new(format!("http://{address}").parse().unwrap())).unwrap()
}

#[tokio::test]
async fn not_found_is_none_and_an_error_is_no_answer() {
    let answer: Answer = Arc::new(Mutex::new((200, BOTH)));
    let client = api_server(answer.clone()).await;
    let both = Served::from_kinds([Kind::PrometheusRule, Kind::PodMonitor]);
    assert_eq!(discover(&client).await.unwrap(), both);
    *answer.lock().unwrap() = (404, "404 page not found\n");
    assert_eq!(discover(&client).await.unwrap(), Served::default());
    *answer.lock().unwrap() = (500, FAILURE);
    assert!(discover(&client).await.is_err());
}

#[tokio::test]
async fn an_error_keeps_the_last_answer_and_a_change_is_told() {
    let answer: Answer = Arc::new(Mutex::new((500, FAILURE)));
    let client = api_server(answer.clone()).await;
    let both = Served::from_kinds([Kind::PrometheusRule, Kind::PodMonitor]);
    let (sender, mut receiver) = watch::channel(both.clone());
    let following = tokio::spawn(follow(client, Duration::from_millis(5), sender));
    let silence = tokio::time::timeout(Duration::from_millis(100), receiver.changed()).await;
    assert!(silence.is_err(), "an error was told as a change");
    *answer.lock().unwrap() = (404, "404 page not found\n");
    receiver.changed().await.unwrap();
    assert_eq!(*receiver.borrow_and_update(), Served::default());
    *answer.lock().unwrap() = (200, BOTH);
    receiver.changed().await.unwrap();
    assert_eq!(*receiver.borrow_and_update(), both);
    following.abort();
}
