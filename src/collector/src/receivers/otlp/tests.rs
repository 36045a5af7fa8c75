//! Real requests to a started receiver, whose pipelines keep what they get.

mod grpc;
mod http;

use std::net::SocketAddr;

use bytes::Bytes;
use obspipe_model::components::network::Sizer;
use obspipe_model::settings::ListenAddress;
use obspipe_model::{PipelineId, Signal};

use super::*;
use crate::flow::admit::{Entry, Inlet};
use crate::flow::ledger::Ledger;
use crate::flow::leg::{FanOut, Leg, To};
use crate::flow::queue::{Bounds, Queue};
use crate::flow::stage::Route;
use crate::net::compress::{Encoding, deflate};
use crate::testing::{Kept, numbered, request};

/// Bytes that all telemetry may take, unless a test says otherwise.
const ROOM: usize = 64 << 20;

/// A receiver at work, with a pipeline for traces and one for logs; none for metrics.
struct Receiver {
    grpc: SocketAddr,
    http: SocketAddr,
    kept: Arc<Kept>,
    inlets: Arc<Inlets>,
    account: Arc<Account>,
    scope: Scope,
}

fn inlet(signal: Signal, to: To) -> Option<Arc<Inlet>> {
    let id = PipelineId { signal, name: String::new() };
    let ledger = Ledger::new(id.clone(), "nop".parse().unwrap());
    let exit = FanOut::new(vec![Leg { ledger, to, gather: None }]);
    let first = Route::to(exit.clone());
    Some(Inlet::new(signal, vec![Arc::new(Entry { id, first, exit })]))
}

fn start_with(grpc: GrpcServer, http: HttpServer, room: usize, to: Option<To>) -> Receiver {
    let at = ListenAddress::new("127.0.0.1", 0);
    let mut settings = OtlpReceiver::default();
    settings.protocols.grpc.0 = Some(GrpcServer { endpoint: at.clone(), ..grpc });
    // The sockets are kept by address: the other one has another port.
    let http_at = ListenAddress::new("127.0.0.2", 0);
    settings.protocols.http.0 = Some(HttpServer { endpoint: http_at, ..http });
    let prepared = prepare(&settings, &Listeners::default()).unwrap();
    let address = |listening: &Listening| listening.address().unwrap();
    let (grpc, http) =
        (address(&prepared.grpc.as_ref().unwrap().1), address(&prepared.http.as_ref().unwrap().1));
    let kept = Arc::new(Kept::default());
    let to = to.unwrap_or_else(|| To::Direct(kept.clone()));
    let by_signal =
        [inlet(Signal::Traces, to.clone()), None, inlet(Signal::Logs, To::Direct(kept.clone()))];
    let inlets = Arc::new(Inlets { by_signal, ..Inlets::default() });
    let (account, scope) = (Account::new(room), Scope::default());
    prepared.start(&inlets, &account, &scope);
    Receiver { grpc, http, kept, inlets, account, scope }
}

fn start() -> Receiver {
    start_with(GrpcServer::default(), HttpServer::default(), ROOM, None)
}

/// Requests refused because there is no room, and those that were no good: gRPC's, then HTTP's.
fn refused(receiver: &Receiver) -> [(u64, u64); 2] {
    use std::sync::atomic::Ordering::Relaxed;
    let counters = &receiver.inlets.counters;
    [&counters.grpc, &counters.http].map(|protocol| {
        (protocol.refused_requests.load(Relaxed), protocol.bad_requests.load(Relaxed))
    })
}

/// A queue with room for one request, which waits as configured.
fn small_queue(block: bool, wait: bool) -> Arc<Queue> {
    let bounds = Bounds { sizer: Sizer::Requests, size: 1, bytes: usize::MAX, block, wait };
    Queue::new("otlp".parse().unwrap(), bounds)
}

async fn packed(encoding: Encoding, bytes: &Bytes) -> Bytes {
    deflate(encoding, std::slice::from_ref(bytes)).await.unwrap().into()
}

fn traces(items: usize) -> Bytes {
    request(Signal::Traces, &numbered("span", items))
}

/// google.rpc.Status, as prost reads it.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}
