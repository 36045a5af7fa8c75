//! Five times what the collector can carry: because its own CPU is not enough, and because its
//! backend is slow. Memory stays below `limit_mib`, whoever is refused is told when to come again, and
//! clients that send a hundredth of the capacity by the SDKs' rules deliver nearly all of it.
//!
//! `OBSPIPE_OVERLOAD_SECONDS=60` presses on for a minute instead of a quarter of one.

mod light;
mod load;
mod sink;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::collector::Collector;
use light::Light;
use load::{Load, Pace};
use sink::Sink;

/// What `limit_mib` says.
const LIMIT_MIB: u64 = 200;
/// How many times the capacity is offered.
const TIMES: f64 = 5.0;
/// Spans in a heavy request, and bytes in each.
const SPANS: (usize, usize) = (500, 1000);
/// Connections that send them, half of them over HTTP/1.1.
const CLIENTS: usize = 40;
/// How long the capacity is measured.
const MEASURING: Duration = Duration::from_secs(4);

const CONFIGURATION: &str = r#"
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "{grpc}"}
      http: {endpoint: "{http}"}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 200}
  batch: {send_batch_size: 500, send_batch_max_size: 500}
exporters:
  otlp: {endpoint: "{backend}", tls: {insecure: true}, compression: {compression}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp]}
"#;

async fn start(sink: &Sink, compression: &str) -> Collector {
    let text = CONFIGURATION
        .replace("{backend}", &sink.address.to_string())
        .replace("{compression}", compression);
    Collector::start(&text).await
}

fn pressing() -> Duration {
    let seconds = std::env::var("OBSPIPE_OVERLOAD_SECONDS").ok();
    let seconds = seconds.map_or(15, |text| text.parse().expect("a number of seconds"));
    Duration::from_secs(seconds)
}

/// Items a second that the collector delivers when it has as much to do as it can.
async fn capacity(collector: &Collector) -> f64 {
    let load = Load { clients: CLIENTS, pace: Pace::AsTold };
    let flooding = load::press(collector, &load, MEASURING + MEASURING / 2);
    let measuring = async {
        sleep(MEASURING / 4).await;
        let (before, start) = (collector.flow("traces", "otlp").await.sent, Instant::now());
        sleep(MEASURING).await;
        let sent = collector.flow("traces", "otlp").await.sent - before;
        sent as f64 / start.elapsed().as_secs_f64()
    };
    tokio::join!(flooding, measuring).1
}

/// Presses on, with light clients besides, and checks what came of it.
/// Returns the collector, and the items that it has taken at least.
async fn press(name: &str, collector: Collector) -> (Collector, u64) {
    let capacity = capacity(&collector).await;
    assert!(capacity > 0.0, "nothing was delivered");
    let start = collector.flow("traces", "otlp").await.entered;
    let every = CLIENTS as f64 * SPANS.0 as f64 / (capacity * TIMES);
    let load = Load { clients: CLIENTS, pace: Pace::Every(Duration::from_secs_f64(every)) };
    let lights = [false, true].map(|http| Light::start(&collector, http, capacity / 100.0));
    let begun = Instant::now();
    let heavy = load::press(&collector, &load, pressing()).await;
    let offered = heavy.offered() as f64 / begun.elapsed().as_secs_f64();
    let mut delivered = heavy.taken_items;
    let (_, most) = collector.resident();
    println!(
        "{name}: capacity {capacity:.0} items/s, offered {:.1} times that; {heavy:?}; peak RSS \
         {:.1} MiB",
        offered / capacity,
        most as f64 / f64::from(1 << 20)
    );
    for light in lights {
        let light = light.end().await;
        println!("{name}: {light:?}");
        assert!(light.sent >= 100, "{light:?}");
        assert!(light.delivered * 100 >= light.sent * 99, "{light:?}");
        delivered += light.delivered;
    }
    // Who offers takes CPU time from the collector where they share a machine: less may be carried
    // meanwhile than was measured.
    let carried = capacity.min(heavy.taken_items as f64 / pressing().as_secs_f64());
    assert!(offered >= carried * 4.0, "this was no overload: {offered} items/s of {carried}");
    assert_eq!(heavy.wrong, Vec::<String>::new(), "refusals have to say when to try again");
    assert_eq!(heavy.by_code.len(), 2, "some were refused over either protocol: {heavy:?}");
    assert!(most < LIMIT_MIB << 20, "{} MiB, limit {LIMIT_MIB}", most >> 20);
    // A request that its client gave up may have been taken.
    let flow = collector.flow("traces", "otlp").await;
    assert_eq!(flow.dropped, 0, "{flow:?}");
    assert!(flow.entered >= start + delivered, "{flow:?}");
    (collector, start + delivered)
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_cpu_can_do() {
    let sink = Sink::start(Duration::ZERO).await;
    let collector = start(&sink, "gzip").await;
    press("CPU", collector).await;
}

/// The backend answers each of ten requests at once after 500 ms: 10 000 items in a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_too_slow() {
    let sink = Sink::start(Duration::from_millis(500)).await;
    let collector = start(&sink, "none").await;
    let (mut collector, taken) = press("slow backend", collector).await;
    // What was taken is delivered, all of it.
    sink.hurry();
    let flow = collector.settled("traces", "otlp", taken).await;
    assert_eq!(flow.dropped, 0, "{flow:?}");
    assert_eq!(collector.terminate().await, Some(0), "{}", collector.log());
}
