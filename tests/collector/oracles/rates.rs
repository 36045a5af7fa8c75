//! Two processes that nothing tells apart (no `service.instance.id`), one of which restarts, behind
//! one prometheus exporter: the rates that the real Prometheus makes of their page. Beside them a
//! third process tells what both did in all, in the same requests, so that every scrape sees both.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use local_cluster::Silent;
use obspipe_backends::{Prometheus, Scrape, eventually};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

use super::generate::{Dice, text};
use super::{METRICS, PATIENCE};
use crate::client::Client;
use crate::collector::Collector;

/// A process that ended is forgotten while the other goes on.
const CONFIGURATION: &str = "
receivers:
  otlp: { protocols: { grpc: { endpoint: '{grpc}' } } }
exporters:
  prometheus: { endpoint: '{page}', metric_expiration: 4s }
service:
  pipelines:
    metrics: { receivers: [otlp], exporters: [prometheus] }
";

/// What both tell, by what each request adds to it.
const TOLD: [(&str, u64); 4] = [
    ("requests_total", 1),
    ("duration_seconds_count", 1),
    ("duration_seconds_sum", 2),
    ("duration_seconds_bucket{le=~\"5(.0)?\"}", 1),
];

/// A process that serves requests, and what it counted since it started.
struct Worker {
    start: u64,
    pace: u64,
    served: u64,
}

impl Worker {
    fn start(pace: u64) -> Self {
        Self { start: now(), pace, served: 0 }
    }

    /// Serves some requests. Returns how many.
    fn work(&mut self, dice: &mut Dice) -> u64 {
        let some = dice.below(self.pace);
        self.served += some;
        some
    }

    fn metrics(&self) -> ResourceMetrics {
        let point = HistogramDataPoint {
            start_time_unix_nano: self.start,
            time_unix_nano: now(),
            count: self.served,
            sum: Some(2.0 * self.served as f64),
            bucket_counts: vec![0, self.served, 0],
            explicit_bounds: vec![1.0, 5.0],
            ..Default::default()
        };
        let durations = Histogram { data_points: vec![point], aggregation_temporality: 2 };
        let durations = Metric {
            name: "duration".into(),
            unit: "s".into(),
            data: Some(Data::Histogram(durations)),
            ..Default::default()
        };
        of_service("shop", vec![counter("requests", self.start, self.served), durations])
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock");
    u64::try_from(now.as_nanos()).expect("before 2554")
}

fn counter(name: &str, start: u64, value: u64) -> Metric {
    let point = NumberDataPoint {
        start_time_unix_nano: start,
        time_unix_nano: now(),
        value: Some(number_data_point::Value::AsInt(value.cast_signed())),
        ..Default::default()
    };
    let data_points = vec![point];
    let sum = Sum { data_points, aggregation_temporality: 2, is_monotonic: true };
    Metric { name: name.into(), data: Some(Data::Sum(sum)), ..Default::default() }
}

fn of_service(name: &str, metrics: Vec<Metric>) -> ResourceMetrics {
    let attributes = vec![text("service.name", name)];
    let resource = Some(Resource { attributes, ..Resource::default() });
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }
}

/// The value of an expression that has one.
async fn value(prometheus: &Prometheus, expression: &str) -> Option<f64> {
    let found = prometheus.query(expression).await.expect("an answer");
    found[0]["value"][1].as_str().map(|value| value.parse().expect("a number"))
}

/// Two workers, the second anew when there were so many scrapes, until there were so many. Returns
/// how many requests they served.
async fn serve(client: &mut Client, prometheus: &Prometheus, anew: f64, until: f64) -> u64 {
    let mut dice = Dice::new(5);
    let (start, mut served) = (now(), 0);
    let mut workers = [Worker::start(200), Worker::start(50)];
    let mut restarted = false;
    loop {
        for worker in &mut workers {
            served += worker.work(&mut dice);
            let truth = of_service("truth", vec![counter("served", start, served)]);
            let resource_metrics = vec![worker.metrics(), truth];
            let request = ExportMetricsServiceRequest { resource_metrics }.encode_to_vec();
            let answer = client.call(METRICS[0], &request).await.expect("an answer");
            assert_eq!(answer.code, 0, "{answer:?}");
        }
        let scrapes = value(prometheus, "count_over_time(served_total[5m])").await.unwrap_or(0.0);
        if scrapes >= anew && !restarted {
            workers[1] = Worker::start(100);
            restarted = true;
        }
        if scrapes >= until {
            return served;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_of_one_identity_have_the_true_rate() {
    let collector = Collector::start(CONFIGURATION).await;
    let interval = Duration::from_secs(1);
    let scrape = Scrape { targets: vec![collector.page], interval, honor_labels: true };
    let prometheus = Prometheus::start(&Silent, &scrape).await.expect("Prometheus");
    let mut client = Client::connect(collector.grpc).await;
    let served = serve(&mut client, &prometheus, 6.0, 16.0).await;
    for (name, each) in TOLD {
        let ratio = |window: &str| {
            format!("rate({name}[{window}]) / on() rate(served_total[{window}]) / {each}")
        };
        let whole = value(&prometheus, &ratio("5m")).await.expect("a rate");
        // At each scrape, over the last few.
        let every = format!("(({})[14s:1s])", ratio("4s"));
        let least = value(&prometheus, &format!("min_over_time{every}")).await.expect("rates");
        let most = value(&prometheus, &format!("max_over_time{every}")).await.expect("rates");
        for told in [whole, least, most] {
            assert!((0.98..=1.02).contains(&told), "{name}: {least}..{most}, in all {whole}");
        }
        let total = eventually("the last scrape", PATIENCE, async || {
            let last = value(&prometheus, &format!("max_over_time({name}[5m])")).await;
            let wanted = Some((served * each) as f64);
            if last == wanted { Ok(()) } else { Err(format!("{last:?}, not {wanted:?}")) }
        });
        total.await.expect(name);
    }
}
