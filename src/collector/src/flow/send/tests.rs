use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use obspipe_model::components::network::Sizer;
use proptest::prelude::*;
use tokio::time::sleep;

use super::*;
use crate::exporters::requests;
use crate::flow::account::{Account, Peer};
use crate::flow::ledger::Balance;
use crate::flow::queue::{Bounds, Size};
use crate::flow::receipt::Receipt;
use crate::testing::{ledger, names, numbered, spans};

/// What a backend says to the n-th request, which has these items.
type Script = Box<dyn Fn(usize, &[String]) -> Answer + Send + Sync>;

/// A backend that answers by a script, and what it was sent.
struct Backend {
    script: Script,
    max_bytes: usize,
    takes: Duration,
    asked: Mutex<Vec<(Instant, Vec<String>)>>,
    under_way: Mutex<(usize, usize)>,
    untranslatable: usize,
    at_once: usize,
    /// How many requests had been sent when each was made.
    made: Mutex<Vec<usize>>,
}

impl Backend {
    fn new(script: impl Fn(usize, &[String]) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            script: Box::new(script),
            max_bytes: usize::MAX,
            takes: Duration::ZERO,
            asked: Mutex::default(),
            under_way: Mutex::default(),
            untranslatable: 0,
            at_once: IN_FLIGHT,
            made: Mutex::default(),
        }
    }

    fn asked(&self) -> Vec<Vec<String>> {
        self.asked.lock().unwrap().iter().map(|(_, names)| names.clone()).collect()
    }

    /// Seconds from the first request to each.
    fn times(&self) -> Vec<f64> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(at, _)| (*at - asked[0].0).as_secs_f64()).collect()
    }
}

fn request(signal: Signal, chunks: Vec<Chunk>) -> Request {
    let items = chunks.iter().map(|chunk| chunk.items).sum();
    let body = chunks.iter().map(|chunk| chunk.bytes.clone()).collect();
    Request { signal, body, items, source: Source::Chunks(chunks) }
}

impl Transport for Backend {
    fn encode(&self, signal: Signal, mut load: Load, out: Outlet) -> Sending<'_, usize> {
        if self.untranslatable > 0 {
            let chunk = load.chunks.pop().unwrap();
            load.chunks.extend(chunk.take(signal, self.untranslatable).1);
        }
        let groups = requests::group(signal, load, self.max_bytes);
        Box::pin(async move {
            for chunks in groups {
                let turn = out.turn().await;
                self.made.lock().unwrap().push(self.asked.lock().unwrap().len());
                turn.give(request(signal, chunks));
            }
            self.untranslatable
        })
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a, Answer> {
        let names: Vec<String> =
            request.body.iter().flat_map(|piece| names(request.signal, piece)).collect();
        assert_eq!(names.len(), request.items);
        Box::pin(async move {
            let number = {
                let mut asked = self.asked.lock().unwrap();
                asked.push((Instant::now(), names.clone()));
                let mut under_way = self.under_way.lock().unwrap();
                *under_way = (under_way.0 + 1, under_way.1.max(under_way.0 + 1));
                asked.len() - 1
            };
            sleep(self.takes).await;
            self.under_way.lock().unwrap().0 -= 1;
            (self.script)(number, &names)
        })
    }

    fn halve<'a>(&'a self, of: &'a Request) -> Sending<'a, Option<(Request, Request)>> {
        let halves = requests::halve(of);
        let halves = halves.map(|(a, b)| (request(of.signal, a), request(of.signal, b)));
        Box::pin(async move { halves })
    }
}

/// What was reported.
#[derive(Default)]
struct Told {
    sent: Mutex<usize>,
    dropped: Mutex<Vec<(Reason, usize, String)>>,
    retries: Mutex<Vec<(usize, String)>>,
    warnings: Mutex<Vec<String>>,
}

impl Report for Told {
    fn sent(&self, _: Signal, items: usize) {
        *self.sent.lock().unwrap() += items;
    }

    fn dropped(&self, _: Signal, reason: Reason, items: usize, why: &str) {
        self.dropped.lock().unwrap().push((reason, items, why.to_owned()));
    }

    fn retrying(&self, _: Signal, items: usize, _: Duration, why: &str) {
        self.retries.lock().unwrap().push((items, why.to_owned()));
    }

    fn warned(&self, _: Signal, message: &str) {
        self.warnings.lock().unwrap().push(message.to_owned());
    }
}

/// A sender at work.
struct Running {
    backend: Arc<Backend>,
    queue: Arc<Queue>,
    ledger: Arc<Ledger>,
    told: Arc<Told>,
    scope: Scope,
}

fn sure() -> Retry {
    Retry { randomization_factor: 0.0, ..Retry::default() }
}

fn start(backend: Backend, retry: Retry, consumers: u32) -> Running {
    let bounds =
        Bounds { sizer: Sizer::Requests, size: 1000, bytes: usize::MAX, block: false, wait: false };
    let queue = Queue::new("otlp".parse().unwrap(), bounds);
    let (backend, told, scope) = (Arc::new(backend), Arc::new(Told::default()), Scope::default());
    let transport = backend.clone();
    let sender = Sender { transport, queue: queue.clone(), retry, report: told.clone() };
    Arc::new(sender).start(consumers, &scope);
    Running { backend, queue, ledger: ledger("otlp"), told, scope }
}

impl Running {
    fn push(&self, load: impl Into<Load>) {
        let load = load.into();
        self.queue.reserve(Size { items: load.items(), weight: load.weight() }).unwrap();
        self.ledger.enter(load.items());
        self.queue.push(load, &self.ledger);
    }

    /// Closes the queue and waits until all is sent or dropped.
    async fn finish(&self) -> Balance {
        self.queue.close();
        self.scope.finished().await;
        let balance = self.ledger.balance();
        assert!(balance.holds(), "{balance:?}");
        assert_eq!((balance.queued, balance.in_flight), (0, 0));
        assert_eq!(*self.told.sent.lock().unwrap() as u64, balance.sent);
        let mut told = BTreeMap::new();
        for (reason, items, _) in self.told.dropped.lock().unwrap().iter() {
            *told.entry(reason.as_str()).or_insert(0) += *items as u64;
        }
        assert_eq!(told, balance.dropped);
        balance
    }
}

fn taken() -> Answer {
    Answer::Taken { rejected: 0, message: String::new() }
}

fn later(after: Option<u64>) -> Answer {
    Answer::Later { after: after.map(Duration::from_secs), why: "503".into() }
}

fn dropped(balance: &Balance) -> Vec<(&'static str, u64)> {
    balance.dropped.iter().map(|(reason, items)| (*reason, *items)).collect()
}

/// Clients' requests gathered by a batch processor.
fn batch(clients: usize, items: usize) -> Load {
    Load { chunks: (0..clients).map(|n| spans(&format!("client-{n}"), items)).collect() }
}

#[tokio::test(start_paused = true)]
async fn taken_is_sent() {
    let running = start(Backend::new(|_, _| taken()), sure(), 2);
    running.push(spans("a", 3));
    running.push(spans("b", 4));
    let balance = running.finish().await;
    assert_eq!((balance.entered, balance.sent), (7, 7));
    let mut asked = running.backend.asked();
    asked.sort();
    assert_eq!(asked, [numbered("a", 3), numbered("b", 4)]);
}

#[tokio::test(start_paused = true)]
async fn partial_success_is_counted_told_and_never_tried_again() {
    let script = |n: usize, _: &[String]| match n {
        0 => Answer::Taken { rejected: 3, message: "too old".into() },
        1 => Answer::Taken { rejected: 99, message: "all of it".into() },
        _ => Answer::Taken { rejected: 0, message: "careful".into() },
    };
    let running = start(Backend::new(script), sure(), 1);
    for _ in 0..3 {
        running.push(spans("a", 10));
    }
    let balance = running.finish().await;
    // A backend that refuses more than it was sent refuses all of it.
    assert_eq!((balance.sent, dropped(&balance)), (17, vec![("partial_success", 13)]));
    assert_eq!(running.backend.asked().len(), 3);
    assert_eq!(*running.told.warnings.lock().unwrap(), ["careful"]);
    assert_eq!(running.told.dropped.lock().unwrap()[0].2, "too old");
}

#[tokio::test(start_paused = true)]
async fn later_is_later_and_the_same_bytes() {
    let script = |n: usize, _: &[String]| match n {
        0 => later(None),
        1 => later(Some(20)),
        2 => later(None),
        _ => taken(),
    };
    let running = start(Backend::new(script), sure(), 1);
    running.push(spans("a", 10));
    sleep(Duration::from_secs(1)).await;
    assert!(running.queue.is_failing());
    let balance = running.finish().await;
    assert_eq!((balance.sent, dropped(&balance)), (10, vec![]));
    let asked = running.backend.asked();
    assert!(asked.len() == 4 && asked.iter().all(|names| *names == asked[0]));
    // The backend's own wish is longer than 7.5 s; waits go on growing meanwhile.
    let times = running.backend.times();
    let near = |expected: [f64; 4]| times.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.01);
    assert!(near([0.0, 5.0, 25.0, 36.25]), "{times:?}");
    assert!(!running.queue.is_failing());
    assert_eq!(running.told.retries.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_tried_for_too_long_is_given_up() {
    let running = start(Backend::new(|_, _| later(None)), sure(), 1);
    running.push(spans("a", 10));
    let balance = running.finish().await;
    assert_eq!(dropped(&balance), [("retries_exhausted", 10)]);
    let times = running.backend.times();
    assert!(*times.last().unwrap() <= 300.0 && *times.last().unwrap() > 270.0, "{times:?}");
    assert_eq!(running.told.dropped.lock().unwrap()[0].2, "503");
}

#[tokio::test(start_paused = true)]
async fn without_retry_the_first_failure_is_the_last() {
    let retry = Retry { enabled: false, ..Retry::default() };
    let running = start(Backend::new(|_, _| later(Some(1))), retry, 1);
    running.push(spans("a", 10));
    let balance = running.finish().await;
    assert_eq!(dropped(&balance), [("retries_exhausted", 10)]);
    assert_eq!(running.backend.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn never_is_dropped_at_once_and_is_no_reason_to_call_the_backend_dead() {
    let running = start(Backend::new(|_, _| Answer::Never("401".into())), sure(), 1);
    running.queue.set_failing(true);
    running.push(batch(10, 10));
    let balance = running.finish().await;
    assert_eq!(dropped(&balance), [("rejected_by_backend", 100)]);
    assert_eq!(running.backend.asked().len(), 1);
    assert!(!running.queue.is_failing());
}

#[tokio::test(start_paused = true)]
async fn one_bad_item_among_a_thousand_of_ten_clients_costs_only_itself() {
    for bad in ["client-0-0", "client-4-57", "client-9-99"] {
        let script = move |_: usize, names: &[String]| match names.iter().any(|name| name == bad) {
            true => Answer::Content("bad".into()),
            false => taken(),
        };
        let running = start(Backend::new(script), sure(), 1);
        running.push(batch(10, 100));
        let balance = running.finish().await;
        assert_eq!((balance.sent, dropped(&balance)), (999, vec![("rejected_by_backend", 1)]));
        // Each refusal makes two requests; 2 log2(n) at most, and the first.
        let asked = running.backend.asked().len();
        assert!(asked <= 2 * 11 + 1, "{asked} requests");
    }
}

/// The others' telemetry arrives whatever one client sends, and the backend is not asked without end.
#[tokio::test(start_paused = true)]
async fn a_client_all_of_whose_items_are_bad_costs_the_others_nothing() {
    let script =
        |_: usize, names: &[String]| match names.iter().any(|name| name.starts_with("client-3-")) {
            true => Answer::Content("bad".into()),
            false => taken(),
        };
    let running = start(Backend::new(script), sure(), 1);
    running.push(batch(10, 1000));
    let balance = running.finish().await;
    assert_eq!((balance.sent, dropped(&balance)), (9000, vec![("rejected_by_backend", 1000)]));
    let asked = running.backend.asked().len();
    assert!(asked <= 200, "{asked} requests for one client's 1000 bad items");
}

/// However many clients make mistakes: between clients the search goes to its end.
#[tokio::test(start_paused = true)]
async fn half_of_the_clients_bad_cost_the_other_half_nothing() {
    let is_bad = |name: &String| {
        let client: usize = name.split('-').nth(1).unwrap().parse().unwrap();
        client % 2 == 1
    };
    let script = move |_: usize, names: &[String]| match names.iter().any(is_bad) {
        true => Answer::Content("bad".into()),
        false => taken(),
    };
    let running = start(Backend::new(script), sure(), 1);
    running.push(batch(64, 4));
    let balance = running.finish().await;
    assert_eq!((balance.sent, dropped(&balance)), (128, vec![("rejected_by_backend", 128)]));
}

#[tokio::test(start_paused = true)]
async fn everything_bad_ends_soon() {
    let running = start(Backend::new(|_, _| Answer::Content("no".into())), sure(), 1);
    running.push(spans("a", 10_000));
    let balance = running.finish().await;
    assert_eq!(dropped(&balance), [("rejected_by_backend", 10_000)]);
    assert!(running.backend.asked().len() <= 250, "{}", running.backend.asked().len());
}

#[tokio::test(start_paused = true)]
async fn a_handful_of_bad_items_of_one_client_is_found_one_by_one() {
    let bad = |name: &String| name.ends_with("00") || name == "a-17" || name == "a-511";
    let script = move |_: usize, names: &[String]| match names.iter().any(bad) {
        true => Answer::Content("bad".into()),
        false => taken(),
    };
    let running = start(Backend::new(script), sure(), 1);
    running.push(spans("a", 600));
    let balance = running.finish().await;
    assert_eq!((balance.sent, dropped(&balance)), (593, vec![("rejected_by_backend", 7)]));
}

#[tokio::test(start_paused = true)]
async fn halves_are_tried_again_like_wholes() {
    let script = |n: usize, names: &[String]| match (n, names.len()) {
        (0, _) => Answer::Content("413".into()),
        (1, _) => later(Some(7)),
        (3, _) => later(None),
        _ => taken(),
    };
    let running = start(Backend::new(script), sure(), 1);
    running.push(spans("a", 10));
    let balance = running.finish().await;
    assert_eq!((balance.sent, dropped(&balance)), (10, vec![]));
    let expected = [10, 5, 5, 5, 5];
    assert_eq!(running.backend.asked().iter().map(Vec::len).collect::<Vec<_>>(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_translated_is_counted_and_the_rest_sent() {
    let backend = Backend { untranslatable: 4, ..Backend::new(|_, _| taken()) };
    let running = start(backend, sure(), 1);
    running.push(spans("a", 10));
    let balance = running.finish().await;
    assert_eq!((balance.sent, dropped(&balance)), (6, vec![("untranslatable", 4)]));
}

#[tokio::test(start_paused = true)]
async fn requests_of_one_load_go_out_together_but_not_all_at_once() {
    let backend =
        Backend { max_bytes: 60, takes: Duration::from_secs(1), ..Backend::new(|_, _| taken()) };
    let running = start(backend, sure(), 1);
    running.push(spans("a", 60));
    let balance = running.finish().await;
    assert_eq!(balance.sent, 60);
    assert!(running.backend.asked().len() > 10);
    assert_eq!(running.backend.under_way.lock().unwrap().1, 4);
}

#[tokio::test(start_paused = true)]
async fn as_many_loads_as_consumers_are_under_way() {
    let backend = Backend { takes: Duration::from_secs(1), ..Backend::new(|_, _| taken()) };
    let running = start(backend, sure(), 3);
    for _ in 0..9 {
        running.push(spans("a", 1));
    }
    let began = Instant::now();
    running.finish().await;
    assert_eq!(running.backend.under_way.lock().unwrap().1, 3);
    assert_eq!(began.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_while_waiting_drops_what_waits_and_ends() {
    let running = start(Backend::new(|_, _| later(None)), sure(), 2);
    for n in 0..5 {
        running.push(spans(&format!("{n}"), 10));
    }
    sleep(Duration::from_secs(1)).await;
    let balance = running.ledger.balance();
    assert_eq!((balance.queued, balance.in_flight), (30, 20));
    running.queue.close();
    let began = Instant::now();
    running.scope.ending.cancel();
    let balance = running.finish().await;
    assert_eq!(dropped(&balance), [("shutdown", 50)]);
    assert!(began.elapsed() < Duration::from_secs(1));
}

/// Requests may be far larger than the load they are made of.
#[tokio::test(start_paused = true)]
async fn a_request_is_made_when_the_one_before_is_answered() {
    let backend = |script: fn(usize, &[String]) -> Answer| Backend {
        max_bytes: 60,
        at_once: 1,
        takes: Duration::from_secs(1),
        ..Backend::new(script)
    };
    let running = start(backend(|_, _| taken()), sure(), 1);
    running.push(spans("a", 20));
    running.finish().await;
    let made = running.backend.made.lock().unwrap().clone();
    assert!(made.len() > 5 && made.iter().copied().eq(0..made.len()), "{made:?}");
    assert_eq!(running.backend.under_way.lock().unwrap().1, 1);

    // What waits to be sent again holds up nothing that follows.
    let fails = |n: usize, _: &[String]| if n == 1 { later(Some(100)) } else { taken() };
    let running = start(backend(fails), sure(), 1);
    running.push(spans("a", 20));
    let balance = running.finish().await;
    assert_eq!(balance.sent, 20);
    let times = running.backend.times();
    let (last, before) = times.split_last().unwrap();
    assert!(*last > 100.0 && before.iter().all(|at| *at < 50.0), "{times:?}");

    // But not more than a few.
    let down = |_: usize, _: &[String]| later(Some(100));
    let running = start(backend(down), sure(), 1);
    running.push(spans("a", 20));
    sleep(Duration::from_secs(50)).await;
    assert_eq!(running.backend.made.lock().unwrap().len(), IN_FLIGHT + 1);
    running.scope.ending.cancel();
    running.finish().await;
}

/// Making requests of a long queue takes seconds.
#[tokio::test(start_paused = true)]
async fn a_shutdown_makes_no_requests_of_what_waits() {
    // An item of each load that is looked at is found to be untranslatable.
    let backend = Backend { untranslatable: 1, ..Backend::new(|_, _| later(None)) };
    let running = start(backend, sure(), 1);
    for n in 0..5 {
        running.push(spans(&format!("{n}"), 10));
    }
    sleep(Duration::from_secs(1)).await;
    running.queue.close();
    running.scope.ending.cancel();
    let balance = running.finish().await;
    assert_eq!(dropped(&balance), [("shutdown", 49), ("untranslatable", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_a_backend_that_does_not_answer() {
    let backend = Backend { takes: Duration::from_secs(3600), ..Backend::new(|_, _| taken()) };
    let running = start(backend, sure(), 1);
    running.push(spans("a", 10));
    sleep(Duration::from_secs(1)).await;
    running.queue.close();
    running.scope.ending.cancel();
    let began = Instant::now();
    let balance = running.finish().await;
    assert_eq!(dropped(&balance), [("shutdown", 10)]);
    assert!(began.elapsed() < Duration::from_secs(1));
}

/// The old consumers of an exporter that got other settings.
#[tokio::test(start_paused = true)]
async fn the_retired_finish_what_they_have_and_take_nothing_more() {
    let backend = Backend { takes: Duration::from_secs(5), ..Backend::new(|_, _| taken()) };
    let running = start(backend, sure(), 1);
    running.push(spans("a", 10));
    running.push(spans("b", 10));
    sleep(Duration::from_secs(1)).await;
    running.scope.retire();
    running.scope.finished().await;
    let balance = running.ledger.balance();
    assert!(balance.holds());
    assert_eq!((balance.sent, balance.queued), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn the_retired_put_back_what_waits_to_be_tried_again() {
    let running = start(Backend::new(|_, _| later(Some(250))), sure(), 2);
    for prefix in ["a", "b", "c"] {
        running.push(spans(prefix, 10));
    }
    sleep(Duration::from_secs(1)).await;
    let balance = running.ledger.balance();
    assert_eq!((balance.in_flight, balance.queued), (20, 10));
    let began = Instant::now();
    running.scope.retire();
    running.scope.finished().await;
    assert!(began.elapsed() < Duration::from_secs(1));
    let balance = running.ledger.balance();
    assert!(balance.holds());
    assert_eq!((balance.in_flight, balance.queued), (0, 30));
    assert_eq!(running.queue.size().0, 3);
    // It goes out before what came later.
    let (transport, told) = (Arc::new(Backend::new(|_, _| taken())), Arc::new(Told::default()));
    let (queue, retry) = (running.queue.clone(), sure());
    let scope = Scope::default();
    let sender = Sender { transport: transport.clone(), queue, retry, report: told };
    Arc::new(sender).start(1, &scope);
    running.queue.close();
    scope.finished().await;
    assert_eq!(running.ledger.balance().sent, 30);
    assert_eq!(transport.asked()[2], numbered("c", 10));
}

/// An answer of the old backend says nothing of the new one.
#[tokio::test(start_paused = true)]
async fn the_retired_do_not_call_the_new_backend_dead() {
    let backend = Backend { takes: Duration::from_secs(5), ..Backend::new(|_, _| later(None)) };
    let running = start(backend, sure(), 1);
    running.push(spans("a", 10));
    sleep(Duration::from_secs(1)).await;
    running.scope.retire();
    running.scope.finished().await;
    assert!(!running.queue.is_failing());
    assert_eq!(running.ledger.balance().queued, 10);
}

/// Nobody would take it from there any more.
#[tokio::test(start_paused = true)]
async fn nothing_is_put_back_into_a_closed_queue() {
    let script = |n: usize, _: &[String]| if n == 0 { later(Some(100)) } else { taken() };
    let running = start(Backend::new(script), sure(), 1);
    running.push(spans("a", 10));
    sleep(Duration::from_secs(1)).await;
    running.queue.close();
    running.scope.retire();
    let balance = running.finish().await;
    assert_eq!(balance.sent, 10);
    let times = running.backend.times();
    assert!(times.len() == 2 && (99.0..101.0).contains(&times[1]), "{times:?}");
}

fn with_receipt(prefix: &str, items: usize) -> (Chunk, tokio::sync::oneshot::Receiver<Outcome>) {
    let (receipt, outcome) = Receipt::new();
    let account = Account::new(usize::MAX);
    let permit = account.permit(Signal::Traces, &Arc::new(Peer::default()));
    let hold = Hold { permit: permit.into(), receipt: Some(receipt.into()) };
    (Chunk { hold, ..spans(prefix, items) }, outcome)
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_told_what_became_of_the_request() {
    let script = |_: usize, names: &[String]| match names[0].split('-').next().unwrap() {
        "good" => taken(),
        "partly" => Answer::Taken { rejected: 1, message: "one is bad".into() },
        "never" => Answer::Never("401".into()),
        _ => later(None),
    };
    let retry = Retry { max_elapsed_time: Duration::from_secs(6), ..sure() };
    let running = start(Backend::new(script), retry, 4);
    let mut outcomes = Vec::new();
    for prefix in ["good", "partly", "never", "dead"] {
        let (chunk, outcome) = with_receipt(prefix, 2);
        running.push(chunk);
        outcomes.push(outcome);
    }
    running.finish().await;
    let mut told = Vec::new();
    for outcome in outcomes {
        told.push(outcome.await.unwrap());
    }
    let expected = [
        Outcome::Delivered,
        Outcome::Refused("one is bad".into()),
        Outcome::Refused("401".into()),
        Outcome::Retry("503".into()),
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn of_one_request_in_several_the_worst_outcome_is_told() {
    // Three requests: the first is refused, the others fail for now.
    let script = |n: usize, _: &[String]| match n {
        0 => Answer::Never("no".into()),
        _ => later(None),
    };
    let retry = Retry { enabled: false, ..sure() };
    let backend = Backend { max_bytes: 60, ..Backend::new(script) };
    let running = start(backend, retry, 1);
    let (chunk, outcome) = with_receipt("a", 9);
    running.push(chunk);
    running.finish().await;
    assert!(running.backend.asked().len() > 2);
    assert_eq!(outcome.await.unwrap(), Outcome::Refused("no".into()));
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(taken()),
        1 => (0usize..20).prop_map(|rejected| Answer::Taken { rejected, message: "m".into() }),
        2 => proptest::option::of(0u64..40).prop_map(later),
        2 => Just(Answer::Content("c".into())),
        1 => Just(Answer::Never("n".into())),
    ]
}

proptest! {
    /// Whatever a backend answers, and whenever it ends, every item is in one place.
    #[test]
    fn the_law_of_conservation(
        script in proptest::collection::vec(answers(), 1..40),
        loads in proptest::collection::vec((1usize..5, 1usize..30), 1..8),
        consumers in 1u32..4,
        max_bytes in 40usize..2000,
        ends_after in proptest::option::of(0u64..400),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let script = move |n: usize, _: &[String]| script[n % script.len()].clone();
            let takes = Duration::from_millis(100);
            let backend = Backend { max_bytes, takes, ..Backend::new(script) };
            let running = start(backend, Retry::default(), consumers);
            let entered: usize = loads.iter().map(|(clients, items)| clients * items).sum();
            for (clients, items) in loads {
                running.push(batch(clients, items));
            }
            if let Some(seconds) = ends_after {
                sleep(Duration::from_secs(seconds)).await;
                assert!(running.ledger.balance().holds());
                running.scope.ending.cancel();
            }
            let balance = running.finish().await;
            assert_eq!(balance.entered, entered as u64);
        });
    }
}
