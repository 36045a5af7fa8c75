//! Several times what the collector can carry: because its backend is slow, and because its own CPU
//! is not enough. Memory stays below `limit_mib`, whoever is refused is told when to come again, and
//! a client that sends little and follows the SDK's rules loses next to nothing.
//!
//! `OBSPIPE_LONG=1` presses on for a minute instead of a quarter of one.

mod light;
mod load;
mod sink;

use std::time::Duration;

use crate::collector::Collector;
use light::Light;
use load::{Load, Pace};
use sink::Sink;

/// What `limit_mib` says.
const LIMIT_MIB: u64 = 200;

const CONFIGURATION: &str = r#"
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "{grpc}"}
      http: {endpoint: "{http}"}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 200}
exporters:
  otlp: {endpoint: "{backend}", tls: {insecure: true}, compression: {compression}}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp]}
"#;

async fn start(sink: &Sink, compression: &str) -> Collector {
    let text = CONFIGURATION
        .replace("{backend}", &sink.address.to_string())
        .replace("{compression}", compression);
    Collector::start(&text).await
}

fn pressing() -> Duration {
    let long = std::env::var("OBSPIPE_LONG").is_ok_and(|value| value == "1");
    Duration::from_secs(if long { 60 } else { 15 })
}

/// Presses on, with a light client besides, and checks what came of it.
async fn press(name: &str, collector: &mut Collector, sink: &Sink, loads: &[Load]) {
    let light = Light::start(collector.grpc);
    let heavy = load::press(collector, loads, pressing()).await;
    let light = light.end().await;
    // The backend is as fast as it can be from now on: what was taken is all delivered.
    sink.hurry();
    let flow = collector.settled("traces", "otlp", heavy.taken_items + light.delivered).await;
    let (_, most) = collector.resident();
    println!(
        "{name}: {heavy:?}; light {light:?}; peak RSS {:.1} MiB",
        most as f64 / f64::from(1 << 20)
    );
    assert_eq!(flow.dropped, 0, "{flow:?}");
    // A request that its client gave up may have been taken.
    assert!(flow.entered >= heavy.taken_items + light.delivered, "{flow:?}");
    assert!(heavy.refused > heavy.taken, "this was no overload: {heavy:?}");
    assert_eq!(heavy.wrong, Vec::<String>::new(), "refusals have to say when to try again");
    assert!(light.sent >= 100, "{light:?}");
    assert!(light.delivered * 100 >= light.sent * 99, "{light:?}");
    assert!(most < LIMIT_MIB << 20, "{} MiB, limit {LIMIT_MIB}", most >> 20);
    assert_eq!(collector.terminate().await, Some(0), "{}", collector.log());
}

/// The backend answers each of ten requests at once after 400 ms: 25 in a second. 125 come.
#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_too_slow() {
    let sink = Sink::start(Duration::from_millis(400)).await;
    let mut collector = start(&sink, "none").await;
    let pace = Pace::Every(Duration::from_millis(320));
    let loads = [
        Load { http: false, clients: 20, items: 500, filling: 1000, pace },
        Load { http: true, clients: 20, items: 500, filling: 1000, pace },
    ];
    press("slow backend", &mut collector, &sink, &loads).await;
}

/// As fast as it goes, on many connections.
#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_cpu_can_do() {
    let sink = Sink::start(Duration::ZERO).await;
    let mut collector = start(&sink, "gzip").await;
    let loads = [
        Load { http: false, clients: 60, items: 2000, filling: 1500, pace: Pace::AtOnce },
        Load { http: true, clients: 60, items: 2000, filling: 1500, pace: Pace::AtOnce },
    ];
    press("CPU", &mut collector, &sink, &loads).await;
}
