//! OTLP in, OTLP out, beside otelcol v0.155: by gRPC and by HTTP with JSON, to a backend by gRPC
//! and to backends by HTTP in protobuf and in JSON.

mod parts;

use std::fmt::Debug;
use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use obspipe_backends::{Answer, Capture, Received, Release, http};
use prost::Message;
use serde_json::Value;

use self::parts::{Part, Parts};
use super::generate::{Dice, logs, mend, metrics, spoil, traces};
use super::{Differences, LOGS, METRICS, PATIENCE, Pair, REQUESTS, TRACES, assert_same};

const CONFIGURATION: &str = "
receivers:
  otlp: { protocols: { grpc: { endpoint: '{grpc}' }, http: { endpoint: '{http}' } } }
exporters:
  otlp:
    endpoint: '{by-grpc}'
    tls: { insecure: true }
    sending_queue: { num_consumers: 1 }
  otlphttp/proto:
    endpoint: 'http://{by-http}'
    sending_queue: { num_consumers: 1 }
  otlphttp/json:
    endpoint: 'http://{by-json}'
    encoding: json
    sending_queue: { num_consumers: 1 }
";

const PIPELINES: &str = "
service:
  pipelines:
    traces: { receivers: [otlp], exporters: [otlp, otlphttp/proto, otlphttp/json] }
    metrics: { receivers: [otlp], exporters: [otlp, otlphttp/proto, otlphttp/json] }
    logs: { receivers: [otlp], exporters: [otlp, otlphttp/proto, otlphttp/json] }
";

/// Every action.
const ACTIONS: &str = "[
        { key: inserted, action: insert, value: { a: [1, 2.5, true] } },
        { key: http.route, action: update, value: '17' },
        { key: error, action: upsert, from_attribute: event },
        { key: c-d, action: delete },
        { key: a.b, action: hash },
        { key: b, action: convert, converted_type: string },
        { key: http.route, action: convert, converted_type: int },
        { key: level, action: convert, converted_type: double },
        { key: service.name, action: extract, pattern: '^(?P<first>[ -~])(?P<rest>[ -~]*)$' },
        ]";

/// Items chosen by what they are and by their scope. ACTIONS stands for those above.
const PROCESSORS: &str = "
processors:
  resource:
    attributes:
    - { key: service.name, action: insert, value: unnamed }
    - { key: level, action: delete }
  attributes/spans:
    include:
      match_type: regexp
      span_kinds: [SERVER, CLIENT]
      libraries: [{ name: '.' }]
    actions: ACTIONS
  attributes/records:
    include: { match_type: strict, log_severity_number: { min: 9, match_undefined: true } }
    exclude: { match_type: strict, libraries: [{ name: '', version: 1.2.3 }] }
    actions: ACTIONS
  attributes/points: { actions: ACTIONS }
service:
  pipelines:
    traces:
      receivers: [otlp]
      processors: [resource, attributes/spans]
      exporters: [otlp, otlphttp/proto, otlphttp/json]
    metrics:
      receivers: [otlp]
      processors: [resource, attributes/points]
      exporters: [otlp, otlphttp/proto, otlphttp/json]
    logs:
      receivers: [otlp]
      processors: [resource, attributes/records]
      exporters: [otlp, otlphttp/proto, otlphttp/json]
";

/// otelcol writes into JSON what is no UTF-8 and no JSON.
const LOSSY: &str = "JSON is UTF-8";

/// otelcol puts the last attribute into the place of one that it deletes.
const ORDER: &str = "attributes keep their order";

/// Changes a part, in so many places.
type Change = fn(&mut Part) -> usize;

/// What makes ours theirs; each says in how many places it did.
const NORMALISATIONS: [(&str, Change); 2] =
    [("absent messages stay absent", present), ("ids of zeros stay", no_zeros)];

fn present(part: &mut Part) -> usize {
    fn fill<T: Default>(message: &mut Option<T>) -> usize {
        let absent = message.is_none();
        message.get_or_insert_default();
        usize::from(absent)
    }
    match part {
        Part::Resource(it) => fill(it),
        Part::Scope(it) => fill(it),
        Part::Status(it) => fill(it),
        Part::Buckets(it) => fill(it),
        Part::Value(it) => fill(it),
        Part::Id(_) | Part::Attributes(_) => 0,
    }
}

fn no_zeros(part: &mut Part) -> usize {
    match part {
        Part::Id(id) if !id.is_empty() && id.iter().all(|byte| *byte == 0) => {
            id.clear();
            1
        }
        _ => 0,
    }
}

fn sort(part: Part) {
    if let Part::Attributes(pairs) = part {
        pairs.sort_by_cached_key(Message::encode_to_vec);
    }
}

fn sort_json(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(sort_json),
        Value::Object(members) => {
            members.values_mut().for_each(sort_json);
            if let Some(Value::Array(pairs)) = members.get_mut("attributes") {
                pairs.sort_by_cached_key(ToString::to_string);
            }
        }
        _ => {}
    }
}

/// Backends: by gRPC, by HTTP in protobuf, in JSON; of ours and of theirs.
struct Backends([[Capture; 2]; 3]);

impl Backends {
    async fn start() -> Self {
        async fn two(grpc: bool) -> [Capture; 2] {
            let one = async || match grpc {
                true => Capture::grpc(|_| Answer::grpc_ok()).await,
                false => Capture::http(|_| Answer::http_ok()).await,
            };
            [one().await.expect("a backend"), one().await.expect("a backend")]
        }
        Self([two(true).await, two(false).await, two(false).await])
    }

    async fn pair(&self, more: &str) -> Pair {
        let names = ["{by-grpc}", "{by-http}", "{by-json}"];
        let addresses = self.0.iter().map(|both| both.each_ref().map(Capture::address));
        let named: Vec<_> = names.into_iter().zip(addresses).collect();
        let text = format!("{CONFIGURATION}{more}");
        Pair::start(Release::Peer, &text, &named).await
    }

    /// Compares what arrived since the last time; returns their bodies in JSON.
    async fn compare<M: Message + Default + Parts + Debug + PartialEq>(
        &self,
        requests: usize,
        path: [&str; 2],
        differences: &mut Differences,
        what: &str,
    ) -> Vec<String> {
        let [by_grpc, by_http, by_json] = &self.0;
        for (backend, path) in [(by_grpc, path[0]), (by_http, path[1])] {
            let [ours, theirs] = arrived(backend, requests, path).await;
            for (at, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
                let (mut ours, mut theirs) = (decode::<M>(ours), decode::<M>(theirs));
                for (name, change) in NORMALISATIONS {
                    let mut met = 0;
                    ours.visit(&mut |mut part| met += change(&mut part));
                    differences.met(name, met);
                }
                if differences.knows(ORDER) {
                    differences.met(ORDER, usize::from(ours != theirs));
                    ours.visit(&mut sort);
                    theirs.visit(&mut sort);
                }
                // Decoded, so that the order of fields says nothing; encoded, so that NaN is NaN.
                if ours.encode_to_vec() != theirs.encode_to_vec() {
                    assert_same(&ours, &theirs, &format!("{what}, number {at} at {path}"));
                }
            }
        }
        let [ours, theirs] = arrived(by_json, requests, path[1]).await;
        let theirs: Vec<_> = theirs.into_iter().map(|body| in_utf8(body, differences)).collect();
        for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            let ours = std::str::from_utf8(ours).expect("UTF-8");
            let (mut ours, mut theirs) = (json(ours), json(theirs));
            if differences.knows(ORDER) {
                sort_json(&mut ours);
                sort_json(&mut theirs);
            }
            if ours != theirs {
                assert_same(&ours, &theirs, &format!("{what} as JSON, number {at}"));
            }
        }
        theirs
    }
}

fn decode<M: Message + Default>(body: Vec<u8>) -> M {
    M::decode(&mend(body)[..]).expect("OTLP")
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn in_utf8(body: Vec<u8>, differences: &mut Differences) -> String {
    differences.met(LOSSY, usize::from(std::str::from_utf8(&body).is_err()));
    String::from_utf8_lossy(&body).into_owned()
}

/// The bodies that arrived, in order, ours and theirs; the backends forget them.
async fn arrived(backend: &[Capture; 2], requests: usize, path: &str) -> [Vec<Vec<u8>>; 2] {
    let mut both = [Vec::new(), Vec::new()];
    for (capture, bodies) in backend.iter().zip(&mut both) {
        let received = capture.wait_for(requests, PATIENCE).await.expect("all requests");
        capture.forget();
        assert_eq!(received.len(), requests);
        assert!(received.iter().all(|request| request.path == path));
        *bodies = received.iter().map(body).collect();
    }
    both
}

fn body(received: &Received) -> Vec<u8> {
    // A capture of gRPC inflates by itself.
    if received.headers.get("content-encoding").is_none_or(|encoding| encoding != "gzip") {
        return received.body.to_vec();
    }
    let mut inflated = Vec::new();
    MultiGzDecoder::new(&received.body[..]).read_to_end(&mut inflated).expect("gzip");
    inflated
}

/// Sends requests by gRPC and by HTTP in JSON.
async fn both_ways<M: Message + Default + Parts + Debug + PartialEq>(
    pair: &mut Pair,
    backends: &Backends,
    differences: &mut Differences,
    signal: [&str; 2],
    requests: Vec<M>,
) {
    for request in &requests {
        let request = spoil(request.encode_to_vec());
        assert_eq!(pair.export(signal, &request, &request).await, [0, 0]);
    }
    // A request without items is taken, and not sent on.
    let count = requests.iter().filter(|request| request.items() > 0).count();
    assert!((REQUESTS / 2..REQUESTS).contains(&count), "{count} requests with items");
    let written = backends.compare::<M>(count, signal, differences, "by gRPC").await;
    let addresses = [pair.ours.http, pair.theirs.endpoints().otlp_http];
    for text in written {
        for address in addresses {
            let json = [("content-type", "application/json")];
            let answer = http::post(address, signal[1], &json, text.clone()).await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.status, 200, "{:?}", answer.body);
            assert_eq!(answer.headers["content-type"], "application/json");
        }
    }
    backends.compare::<M>(count, signal, differences, "by HTTP in JSON").await;
}

/// Sends requests of each signal, by a configuration that goes on like this.
async fn each_signal(more: &str, differing: &[&'static str]) {
    let backends = Backends::start().await;
    let mut pair = backends.pair(more).await;
    let mut names = NORMALISATIONS.map(|(name, _)| name).to_vec();
    names.push(LOSSY);
    names.extend(differing);
    let mut differences = Differences::new("OTLP (v0.155)", &names);
    let mut dice = Dice::new(1);
    let requests = (0..REQUESTS).map(|_| traces(&mut dice)).collect();
    both_ways(&mut pair, &backends, &mut differences, TRACES, requests).await;
    let requests = (0..REQUESTS).map(|_| metrics(&mut dice)).collect();
    both_ways(&mut pair, &backends, &mut differences, METRICS, requests).await;
    let requests = (0..REQUESTS).map(|_| logs(&mut dice)).collect();
    both_ways(&mut pair, &backends, &mut differences, LOGS, requests).await;
    differences.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn otlp_is_what_otelcol_sends_on() {
    each_signal(PIPELINES, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attributes_are_edited_as_by_otelcol() {
    each_signal(&PROCESSORS.replace("ACTIONS", ACTIONS), &[ORDER]).await;
}
