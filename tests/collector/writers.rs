//! Several processes that cannot be told apart, since nothing in their resource is their own, behind
//! one prometheus exporter: what the real Prometheus makes of the page is what they counted.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use local_cluster::Silent;
use obspipe_backends::{Prometheus, Scrape, eventually};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::collector::{Collector, PATIENCE};
use crate::telemetry::text;

const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

/// The total of a process that ended expires while the test runs, and has to go on counting.
const CONFIGURATION: &str = "
receivers:
  otlp: { protocols: { grpc: { endpoint: '{grpc}' } } }
exporters:
  prometheus: { endpoint: '{page}', metric_expiration: 5s }
service:
  pipelines:
    metrics: { receivers: [otlp], exporters: [prometheus] }
";

/// How much is looked at, at least; and when within it the one process is replaced by another.
const WINDOW: Duration = Duration::from_secs(20);
const RESTART: Duration = Duration::from_secs(6);

/// A process that has counted steadily since it was started.
#[derive(Clone, Copy)]
struct Process {
    started: Duration,
    per_second: u64,
}

impl Process {
    /// What it has counted, as a counter and as a histogram.
    fn counted(&self, now: Duration) -> ExportMetricsServiceRequest {
        let (start, time) = (nanos(self.started), nanos(now));
        let count = (time - start) / 1000 * self.per_second / 1_000_000;
        let sum = Sum {
            data_points: vec![NumberDataPoint {
                start_time_unix_nano: start,
                time_unix_nano: time,
                value: Some(number_data_point::Value::AsInt(count.cast_signed())),
                ..Default::default()
            }],
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
            is_monotonic: true,
        };
        let histogram = Histogram {
            data_points: vec![HistogramDataPoint {
                start_time_unix_nano: start,
                time_unix_nano: time,
                count,
                sum: Some(count as f64 / 4.0),
                bucket_counts: vec![count / 3, count - count / 3],
                explicit_bounds: vec![0.25],
                ..Default::default()
            }],
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
        };
        request([("requests", Data::Sum(sum)), ("latency", Data::Histogram(histogram))])
    }
}

/// Of a resource that says what the service is, and not which process of it.
fn request(metrics: [(&str, Data); 2]) -> ExportMetricsServiceRequest {
    let metric = |(name, data): (&str, Data)| Metric {
        name: name.to_owned(),
        data: Some(data),
        ..Default::default()
    };
    let scope_metrics =
        vec![ScopeMetrics { metrics: metrics.map(metric).into(), ..Default::default() }];
    let resource =
        Some(Resource { attributes: vec![text("service.name", "shop")], ..Default::default() });
    let resource_metrics = vec![ResourceMetrics { resource, scope_metrics, ..Default::default() }];
    ExportMetricsServiceRequest { resource_metrics }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).expect("a time before 2554")
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock")
}

/// What a process does: it tells what it has counted.
struct Writer {
    client: Client,
    process: Process,
}

impl Writer {
    /// One that was started so long ago; it has told for the first time.
    async fn start(collector: &Collector, age: Duration, per_second: u64) -> Self {
        let client = Client::connect(collector.grpc).await;
        let mut writer = Self { client, process: Process { started: now() - age, per_second } };
        writer.tell().await;
        writer
    }

    async fn tell(&mut self) {
        let request = self.process.counted(now()).encode_to_vec();
        let status = self.client.call(METRICS, &request).await.expect("an answer");
        assert_eq!(status.code, 0, "{status:?}");
    }

    /// Tells again and again; another process, that counts from 0, takes its place at some time.
    async fn run(mut self, every: Duration, mut restart: Option<Instant>) {
        let mut ticks = tokio::time::interval(every);
        loop {
            ticks.tick().await;
            self.tell().await;
            if restart.take_if(|at| Instant::now() >= *at).is_some() {
                self.process.started = now();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_one_identity_have_the_rate_of_their_sum() {
    let collector = Collector::start(CONFIGURATION).await;
    let lasting = Writer::start(&collector, Duration::from_secs(3600), 500).await;
    let restarted = Writer::start(&collector, Duration::from_secs(3), 300).await;
    let scrape = Scrape { interval: Duration::from_secs(1), ..Scrape::of([collector.page]) };
    let prometheus = Prometheus::start(&Silent, &scrape).await.expect("Prometheus");
    let begin = Instant::now();
    let mut writers = JoinSet::new();
    writers.spawn(lasting.run(Duration::from_millis(130), None));
    writers.spawn(restarted.run(Duration::from_millis(70), Some(begin + RESTART)));

    for series in ["requests_total{job=\"shop\"}", "latency_count{job=\"shop\"}"] {
        eventually(&format!("800 a second of {series}"), PATIENCE, async || {
            assert!(writers.try_join_next().is_none(), "the writers write");
            // A sample's time is when its scrape began: of a slow one, too early. With time it
            // matters less.
            let window = begin.elapsed();
            let of = |function: &str| format!("{function}({series}[{}ms])", window.as_millis());
            let per_second = format!("{} / {}", of("increase"), window.as_secs_f64());
            let rate = value(&prometheus, &of("rate")).await;
            let increase = value(&prometheus, &per_second).await;
            assert_eq!(value(&prometheus, &of("resets")).await.unwrap_or(0.0), 0.0, "it fell");
            let right =
                |found: Option<f64>| found.is_some_and(|it| (it / 800.0 - 1.0).abs() < 0.02);
            match window >= WINDOW && right(rate) && right(increase) {
                true => Ok(()),
                false => Err(format!("{rate:?} and {increase:?} in {window:?}")),
            }
        })
        .await
        .expect("what they counted");
    }
}

/// The value of an expression of one series, if there is one.
async fn value(prometheus: &Prometheus, promql: &str) -> Option<f64> {
    let found = prometheus.query(promql).await.expect("an answer");
    let found = found.as_array().expect("series");
    assert!(found.len() < 2, "one series: {found:?}");
    found.first()?["value"][1].as_str().expect("a value").parse().ok()
}
