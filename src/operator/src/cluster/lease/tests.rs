//! Tests of the election: the decision as a table, and candidates before an API server that knows
//! one lease.

use std::convert::Infallible;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use kube::Config;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

const LASTS: Duration = Duration::from_secs(15);

fn seen(holder: Option<&str>, seconds: Option<i32>, since: Instant) -> Observed {
    let spec = LeaseSpec {
        holder_identity: holder.map(str::to_owned),
        lease_duration_seconds: seconds,
        // Of another age: the record's own times are never looked at.
        renew_time: Some(MicroTime(Timestamp::UNIX_EPOCH)),
        ..LeaseSpec::default()
    };
    Observed { lease: Lease { spec: Some(spec), ..Lease::default() }, since }
}

#[test]
fn decisions() {
    let start = Instant::now();
    for (holder, seconds, idle, expected) in [
        (Some("me"), Some(15), 0, Step::Renew),
        (Some("me"), Some(15), 99, Step::Renew),
        (Some("other"), Some(15), 0, Step::Wait),
        (Some("other"), Some(15), 14, Step::Wait),
        (Some("other"), Some(15), 15, Step::Take),
        (Some("other"), Some(60), 30, Step::Wait),
        (Some("other"), None, 14, Step::Wait),
        (Some("other"), None, 15, Step::Take),
        (Some("other"), Some(-1), 14, Step::Wait),
        (Some(""), Some(1), 0, Step::Take),
        (None, None, 0, Step::Take),
    ] {
        let observed = seen(holder, seconds, start);
        let now = start + Duration::from_secs(idle);
        let step = decide("me", Some(&observed), now, LASTS);
        assert_eq!(step, expected, "{holder:?} {seconds:?} {idle}");
    }
    assert_eq!(decide("me", None, start, LASTS), Step::Create);
}

#[test]
fn records() {
    let created = record(None, Step::Create, "me", LASTS);
    assert_eq!(created.holder_identity.as_deref(), Some("me"));
    assert_eq!(created.lease_duration_seconds, Some(15));
    assert_eq!(created.lease_transitions, Some(0));
    let renewed = record(Some(&created), Step::Renew, "me", LASTS);
    assert_eq!(renewed.acquire_time, created.acquire_time);
    assert_eq!(renewed.lease_transitions, Some(0));
    let taken = record(Some(&renewed), Step::Take, "other", LASTS);
    assert_eq!(taken.lease_transitions, Some(1));
    let free = released(&taken);
    assert_eq!(free.holder_identity.as_deref(), Some(""));
    assert_eq!(free.lease_duration_seconds, Some(1));
    assert_eq!(free.lease_transitions, Some(1));
}

#[test]
fn leadership_ends_by_itself() {
    assert!(Leadership::always().held());
    let leadership = Leadership::elected();
    assert_eq!(leadership.check(), Err(NotLeader));
    leadership.set(Some(Instant::now() + LASTS));
    assert!(leadership.clone().held());
    leadership.set(Some(Instant::now()));
    assert!(!leadership.held());
}

/// The one lease that there is, and whether requests are answered with 500.
#[derive(Default)]
struct Server {
    lease: Option<Value>,
    version: u64,
    broken: bool,
    /// What arrives just before the next release: the renewal that the stop interrupted.
    interrupted: bool,
}

impl Server {
    fn answer(&mut self, method: &Method, body: &[u8]) -> (u16, Value) {
        let status = |code: u16, reason: &str| {
            let status = json!({"kind": "Status", "status": "Failure", "code": code,
                "reason": reason, "message": "test"});
            (code, status)
        };
        if self.broken {
            return status(500, "InternalError");
        }
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        if sent["spec"]["holderIdentity"] == "" && std::mem::take(&mut self.interrupted) {
            self.put(self.lease.clone().unwrap());
        }
        let current = json!(self.version.to_string());
        match (method.as_str(), &self.lease) {
            ("GET", Some(lease)) => (200, lease.clone()),
            ("GET" | "PUT", None) => status(404, "NotFound"),
            ("POST", Some(_)) => status(409, "AlreadyExists"),
            ("PUT", Some(_)) if sent["metadata"]["resourceVersion"] != current => {
                status(409, "Conflict")
            }
            _ => {
                self.put(sent);
                (200, self.lease.clone().unwrap())
            }
        }
    }

    fn put(&mut self, mut lease: Value) {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease);
    }
}

type Shared = Arc<Mutex<Server>>;

async fn api_server() -> (Shared, Client) {
    let shared = Shared::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = shared.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let server = server.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let server = server.clone();
                async move {
                    let method = request.method().clone();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let (code, value) = server.lock().unwrap().answer(&method, &body);
                    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
                    *response.status_mut() = code.try_into().unwrap();
                    Ok::<_, Infallible>(response)
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    let config = Config::new(format!("http://{address}").parse().unwrap());
    (shared, Client::try_from(config).unwrap())
}

struct Candidate {
    leadership: Leadership,
    leads: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
    end: tokio::task::JoinHandle<ElectionEnd>,
}

impl Candidate {
    /// Fails instead of waiting for ever.
    async fn leading(&mut self) {
        let leads = self.leads.wait_for(|leads| *leads);
        tokio::time::timeout(Duration::from_secs(10), leads).await.unwrap().unwrap();
    }
}

fn candidate(client: &Client, identity: &str) -> Candidate {
    let (mut election, leadership, leads) =
        Election::new(client.clone(), "ns", "lease", identity.to_owned());
    election.timing = Timing {
        lease: Duration::from_secs(1),
        renew: Duration::from_millis(600),
        retry: Duration::from_millis(50),
    };
    let (stop, stopped) = watch::channel(false);
    Candidate { leadership, leads, stop, end: tokio::spawn(election.run(stopped)) }
}

fn holder(server: &Shared) -> String {
    let server = server.lock().unwrap();
    server.lease.as_ref().unwrap()["spec"]["holderIdentity"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn one_leads_and_the_other_follows_at_once_when_it_stops() {
    let (server, client) = api_server().await;
    let mut first = candidate(&client, "first");
    first.leading().await;
    let mut second = candidate(&client, "second");
    // Longer than the lease: it is renewed.
    tokio::time::sleep(Duration::from_millis(1300)).await;
    assert!(first.leadership.held());
    assert!(!second.leadership.held());
    first.stop.send_replace(true);
    assert_eq!(first.end.await.unwrap(), ElectionEnd::Stopped);
    assert!(!first.leadership.held());
    second.leading().await;
    assert_eq!(holder(&server), "second");
}

#[tokio::test]
async fn a_leader_that_cannot_renew_has_lost() {
    let (server, client) = api_server().await;
    let mut only = candidate(&client, "only");
    only.leading().await;
    server.lock().unwrap().broken = true;
    assert_eq!(only.end.await.unwrap(), ElectionEnd::Lost);
    assert!(!only.leadership.held());
    assert!(!*only.leads.borrow());
}

#[tokio::test]
async fn a_leader_whose_lease_was_taken_has_lost() {
    let (server, client) = api_server().await;
    let mut only = candidate(&client, "only");
    only.leading().await;
    {
        let mut server = server.lock().unwrap();
        let mut lease = server.lease.clone().unwrap();
        lease["spec"]["holderIdentity"] = json!("other");
        server.put(lease);
    }
    assert_eq!(only.end.await.unwrap(), ElectionEnd::Lost);
}

#[tokio::test]
async fn a_standby_leaves_the_lease_alone_when_it_stops() {
    let (server, client) = api_server().await;
    let mut first = candidate(&client, "first");
    first.leading().await;
    let second = candidate(&client, "second");
    tokio::time::sleep(Duration::from_millis(200)).await;
    second.stop.send_replace(true);
    assert_eq!(second.end.await.unwrap(), ElectionEnd::Stopped);
    assert_eq!(holder(&server), "first");
}

#[tokio::test]
async fn a_release_survives_the_renewal_that_the_stop_interrupted() {
    let (server, client) = api_server().await;
    let mut only = candidate(&client, "only");
    only.leading().await;
    server.lock().unwrap().interrupted = true;
    only.stop.send_replace(true);
    assert_eq!(only.end.await.unwrap(), ElectionEnd::Stopped);
    assert_eq!(holder(&server), "");
}

#[tokio::test]
async fn a_server_that_never_answers_leaves_time_for_another_try() {
    // Accepts and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = Config::new(format!("http://{address}").parse().unwrap());
    let started = Instant::now();
    let _candidate = candidate(&Client::try_from(config).unwrap(), "only");
    let mut silent = Vec::new();
    for _ in 0..2 {
        let accepted = tokio::time::timeout(Duration::from_secs(10), listener.accept()).await;
        silent.push(accepted.unwrap().unwrap());
    }
    // The renewal deadline of these candidates.
    assert!(started.elapsed() < Duration::from_millis(600));
}
