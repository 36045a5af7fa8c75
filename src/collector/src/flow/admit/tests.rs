use obspipe_model::components::network::Sizer;

use super::*;
use crate::flow::account::Account;
use crate::flow::ledger::Ledger;
use crate::flow::queue::Bounds;
use crate::testing::{Kept, numbered, spans};

const NO_BOUNDS: Bounds = Bounds {
    sizer: Sizer::Requests,
    size: usize::MAX,
    bytes: usize::MAX,
    block: false,
    wait: false,
};

fn queue(id: &str, size: usize) -> Arc<Queue> {
    let bounds = Bounds { sizer: Sizer::Requests, size, ..NO_BOUNDS };
    Queue::new(id.parse().unwrap(), bounds)
}

fn pipeline(name: &str, to: Vec<To>) -> Arc<Entry> {
    let id = PipelineId { signal: Signal::Traces, name: name.to_owned() };
    let leg = |to: To| {
        let exporter = match &to {
            To::Queue(queue) => queue.id.clone(),
            To::Direct(_) => "nop".parse().unwrap(),
        };
        Leg { ledger: Ledger::new(id.clone(), exporter), to, gather: None }
    };
    let exit = FanOut::new(to.into_iter().map(leg).collect());
    Arc::new(Entry { id: id.clone(), first: Route::to(exit.clone()), exit })
}

fn inlet(entries: &[&Arc<Entry>]) -> Arc<Inlet> {
    Inlet::new(Signal::Traces, entries.iter().map(|entry| (*entry).clone()).collect())
}

/// Items that a pipeline took in for each of its exporters.
fn entered(entry: &Entry) -> Vec<u64> {
    entry.exit.legs.load().iter().map(|leg| leg.ledger.balance().entered).collect()
}

fn full(id: &str) -> Result<(), Refused> {
    Err(Refused::QueueFull(id.parse().unwrap()))
}

fn holds(entry: &Entry) -> bool {
    entry.exit.legs.load().iter().all(|leg| leg.ledger.balance().holds())
}

#[test]
fn all_pipelines_and_exporters_get_it() {
    let (a, b, kept) = (queue("otlp/a", 10), queue("otlp/b", 10), Arc::new(Kept::default()));
    let first = pipeline("", vec![To::Queue(a.clone()), To::Queue(b.clone())]);
    let second = pipeline("2", vec![To::Queue(b.clone()), To::Direct(kept.clone())]);
    inlet(&[&first, &second]).admit(spans("x", 5)).unwrap();
    assert_eq!((a.size().0, b.size().0, kept.names()), (1, 2, numbered("x", 5)));
    assert_eq!((entered(&first), entered(&second)), (vec![5, 5], vec![5, 5]));
    assert!(holds(&first) && holds(&second));
}

#[test]
fn one_that_is_full_and_alive_refuses_for_all_and_nothing_is_left_behind() {
    let (a, b) = (queue("otlp/a", 10), queue("otlp/b", 1));
    a.set_bounds(Bounds { sizer: Sizer::Items, size: 15, ..NO_BOUNDS });
    let kept = Arc::new(Kept::default());
    let first = pipeline("", vec![To::Direct(kept.clone()), To::Queue(a.clone())]);
    let second = pipeline("2", vec![To::Queue(b.clone())]);
    let inlet = inlet(&[&first, &second]);
    inlet.admit(spans("x", 5)).unwrap();
    for _ in 0..20 {
        assert_eq!(inlet.admit(spans("y", 5)), full("otlp/b"));
    }
    assert_eq!((a.size().0, b.size().0, kept.loads()), (5, 1, 1));
    assert_eq!((entered(&first), entered(&second)), (vec![5, 5], vec![5]));
    // What was reserved in the first queue was given back: ten more find room there.
    let alone = self::inlet(&[&first]);
    assert_eq!((0..20).take_while(|_| alone.admit(spans("z", 1)).is_ok()).count(), 10);
}

/// Two pipelines that end in the same exporter need room for both.
#[test]
fn a_queue_reached_twice_has_room_for_both_or_none() {
    let weight = spans("x", 5).weight;
    let bounds = |bytes| Bounds { bytes, ..NO_BOUNDS };
    let shared = Queue::new("otlp".parse().unwrap(), bounds(3 * weight));
    let first = pipeline("", vec![To::Queue(shared.clone())]);
    let second = pipeline("2", vec![To::Queue(shared.clone())]);
    let inlet = inlet(&[&first, &second]);
    inlet.admit(spans("x", 5)).unwrap();
    assert_eq!(inlet.admit(spans("x", 5)), full("otlp"));
    assert_eq!(shared.size().0, 2);
    assert_eq!((entered(&first), entered(&second)), (vec![5], vec![5]));
}

#[test]
fn one_dead_exporter_does_not_hold_up_the_other_two() {
    let (dead, alive, kept) =
        (queue("otlp/dead", 1), queue("otlp/alive", 100), Arc::new(Kept::default()));
    let to = vec![To::Queue(dead.clone()), To::Queue(alive.clone()), To::Direct(kept.clone())];
    let entry = pipeline("", to);
    let inlet = inlet(&[&entry]);
    dead.set_failing(true);
    for _ in 0..10 {
        inlet.admit(spans("x", 5)).unwrap();
    }
    assert_eq!((dead.size().0, alive.size().0, kept.loads()), (1, 10, 10));
    let legs = entry.exit.legs.load();
    assert_eq!(legs[0].ledger.balance().dropped["queue_full"], 45);
    assert!(legs[1].ledger.balance().dropped.is_empty());
    assert!(holds(&entry));
}

#[test]
fn a_dead_one_alone_refuses_when_it_is_full_so_that_clients_keep_what_they_have() {
    let dead = queue("otlp/dead", 2);
    let entry = pipeline("", vec![To::Queue(dead.clone())]);
    let inlet = inlet(&[&entry]);
    dead.set_failing(true);
    inlet.admit(spans("x", 5)).unwrap();
    inlet.admit(spans("x", 5)).unwrap();
    for _ in 0..5 {
        assert_eq!(inlet.admit(spans("x", 5)), full("otlp/dead"));
    }
    assert_eq!(entered(&entry), [10]);
    assert!(entry.exit.legs.load()[0].ledger.balance().dropped.is_empty());
    // Nothing stays reserved for what was refused.
    dead.set_bounds(Bounds { sizer: Sizer::Items, size: 15, ..NO_BOUNDS });
    inlet.admit(spans("x", 5)).unwrap();
}

#[test]
fn all_dead_and_full_refuse_as_well() {
    let (a, b) = (queue("otlp/a", 1), queue("otlp/b", 1));
    let entry = pipeline("", vec![To::Queue(a.clone()), To::Queue(b.clone())]);
    let inlet = inlet(&[&entry]);
    a.set_failing(true);
    b.set_failing(true);
    inlet.admit(spans("x", 1)).unwrap();
    assert!(inlet.admit(spans("x", 1)).is_err());
    assert_eq!(entered(&entry), [1, 1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_all_or_nothing() {
    let (a, b) = (queue("otlp/a", 40), queue("otlp/b", 1000));
    let share = |size| Bounds { sizer: Sizer::Items, size, ..NO_BOUNDS };
    a.set_bounds(share(100));
    b.set_bounds(share(60));
    let first = pipeline("", vec![To::Queue(a.clone())]);
    let second = pipeline("2", vec![To::Queue(b.clone()), To::Queue(a.clone())]);
    let inlet = inlet(&[&first, &second]);
    let client = |n: usize| {
        let inlet = inlet.clone();
        tokio::spawn(async move {
            (0..50).filter(|k| inlet.admit(spans(&format!("{n}-{k}"), 1)).is_ok()).count()
        })
    };
    let clients: Vec<_> = (0..8).map(client).collect();
    let mut admitted = 0;
    for client in clients {
        admitted += client.await.unwrap();
    }
    // The first queue gets each twice.
    assert_eq!(admitted, 50);
    assert_eq!((a.size().0, b.size().0), (100, 50));
    assert_eq!(entered(&second), [50, 50]);
}

fn blocking(size: usize) -> (Arc<Queue>, Arc<Inlet>, Arc<Entry>) {
    let queue = queue("otlp", size);
    queue.set_bounds(Bounds { size, block: true, ..NO_BOUNDS });
    let entry = pipeline("", vec![To::Queue(queue.clone())]);
    (queue, inlet(&[&entry]), entry)
}

#[tokio::test(start_paused = true)]
async fn where_configured_a_request_waits_for_room() {
    let (queue, inlet, entry) = blocking(1);
    inlet.admit(spans("x", 1)).unwrap();
    let began = Instant::now();
    let waiting = tokio::spawn({
        let inlet = inlet.clone();
        async move { inlet.admit_in_time(spans("y", 1), Duration::from_secs(8)).await }
    });
    tokio::time::sleep(Duration::from_secs(3)).await;
    queue.pop().await.unwrap();
    waiting.await.unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_millis(3100), "{:?}", began.elapsed());
    assert_eq!((queue.size().0, entered(&entry)), (1, vec![2]));
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_no_longer_than_its_client() {
    let (_, inlet, entry) = blocking(1);
    inlet.admit(spans("x", 1)).unwrap();
    let began = Instant::now();
    let refused = inlet.admit_in_time(spans("y", 1), Duration::from_secs(8)).await;
    assert_eq!((refused, entered(&entry)), (full("otlp"), vec![1]));
    let waited = began.elapsed().as_secs_f64();
    assert!((8.0..8.1).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn where_not_configured_it_does_not_wait() {
    let queue = queue("otlp", 1);
    let inlet = inlet(&[&pipeline("", vec![To::Queue(queue)])]);
    inlet.admit(spans("x", 1)).unwrap();
    let began = Instant::now();
    let refused = inlet.admit_in_time(spans("y", 1), Duration::from_secs(8)).await;
    assert_eq!((refused, began.elapsed()), (full("otlp"), Duration::ZERO));
}

#[test]
fn permits_live_as_long_as_anything_holds_the_request() {
    let account = Account::new(1 << 20);
    let (a, b) = (queue("otlp/a", 10), queue("otlp/b", 10));
    let entry = pipeline("", vec![To::Queue(a.clone()), To::Queue(b.clone())]);
    let chunk = crate::testing::chunk(&account, Signal::Traces, &["x"]);
    let bytes = chunk.weight;
    inlet(&[&entry]).admit(chunk).unwrap();
    assert_eq!(account.used(), bytes);
    drop(futures::FutureExt::now_or_never(a.pop()));
    assert_eq!(account.used(), bytes, "the other queue still has it");
    drop(futures::FutureExt::now_or_never(b.pop()));
    assert_eq!(account.used(), 0);
}

#[test]
fn no_pipeline_takes_nothing_and_an_inlet_knows() {
    let none = inlet(&[]);
    assert!(!none.is_open() && !none.waits());
    none.admit(spans("x", 1)).unwrap();
    let queue = queue("otlp", 1);
    let one = inlet(&[&pipeline("", vec![To::Queue(queue.clone())])]);
    assert!(one.is_open() && !one.waits());
    queue.set_bounds(Bounds { wait: true, ..NO_BOUNDS });
    assert!(one.waits());
}
