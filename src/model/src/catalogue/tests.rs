//! The table of components: complete, documented, and with the defaults users rely on.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::components::attributes::Match;
use crate::components::debug::Verbosity;
use crate::components::network::{
    ClientKeepalive, ClientTls, Compression, Queue, QueueBatch, Retry, ServerTls, Sizer, TlsVersion,
};
use crate::components::otlp_http_exporter::Encoding;
use crate::components::otlp_receiver::{GrpcServer, HttpServer, Transport};
use crate::components::prometheus::ResourceToTelemetry;
use crate::components::service::{LogEncoding, LogLevel, MetricsLevel, Telemetry};
use crate::settings::{ListenAddress, Target};
use crate::yaml;

/// Decodes settings in which nothing is wrong.
fn good<T: Setting>(text: &str) -> T {
    let mut d = Decoder::default();
    let read = T::decode(&yaml::parse(text).unwrap(), &mut d);
    assert_eq!(d.problems.told(), [], "{text}");
    read.unwrap()
}

/// Decodes settings of which the rest is default, whatever is missing.
fn bare<T: Setting>() -> T {
    T::decode(&Value::Null, &mut Decoder::default()).unwrap()
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn names_are_unique_in_their_class() {
    for class in Class::ALL {
        let all: Vec<&str> = names(class).collect();
        let unique: BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), unique.len(), "{class:?}: {all:?}");
        assert!(!all.is_empty(), "{class:?}");
        for name in all {
            name.parse::<crate::ComponentId>().unwrap();
            assert_eq!(find(class, name).unwrap().class, class);
        }
    }
    assert!(find(Class::Processor, "otlp").is_none());
    assert!(find(Class::Receiver, "otlp_grpc").is_none());
}

#[test]
fn both_spellings_of_the_otlp_exporters_are_one_component() {
    for (old, new) in [("otlp", "otlp_grpc"), ("otlphttp", "otlp_http")] {
        let (old, new) = (find(Class::Exporter, old).unwrap(), find(Class::Exporter, new).unwrap());
        assert!(std::ptr::eq(old, new));
    }
}

#[test]
fn every_key_is_documented() {
    for entry in CATALOGUE {
        let keys = (entry.keys)();
        assert_eq!(keys.is_empty(), entry.name == "nop", "{}", entry.name);
        assert!(!entry.about.is_empty());
        assert_eq!(entry.signals.is_empty(), entry.class == Class::Extension, "{}", entry.name);
        let mut seen = BTreeSet::new();
        for key in keys {
            let what = format!("{}: {key:?}", entry.name);
            assert!(!key.doc.is_empty() && !key.doc.contains('\n'), "{what}");
            assert!(!key.type_name.is_empty() && !key.key.is_empty(), "{what}");
            assert!(seen.insert(key.key.clone()), "{what} stands twice");
        }
    }
}

/// A documented default written into a configuration is read, and means the same as leaving it out.
#[test]
fn every_documented_default_can_be_written_out() {
    for entry in CATALOGUE {
        for key in (entry.keys)() {
            // Below lists, in groups that are off unless named, and without a default: nothing to write.
            let empty = key.default.is_empty() || key.default == "required" || key.default == "{}";
            if empty {
                continue;
            }
            let body = yaml::parse(&key.default).unwrap();
            let body = key
                .key
                .rsplit('.')
                .fold(body, |body, key| Value::Map(vec![(key.to_owned(), body)]));
            let mut d = Decoder::default();
            (entry.decode)(&body, &mut d);
            let wrong: Vec<_> = d
                .problems
                .told()
                .iter()
                .filter(|p| p.path == key.key && p.code != crate::Code::Missing)
                .collect();
            let in_list = d
                .problems
                .told()
                .iter()
                .any(|p| key.key.starts_with(&p.path) && p.message.contains("a list"));
            assert!(wrong.is_empty() || in_list, "{} {}: {wrong:?}", entry.name, key.key);
        }
        let mut silent = Decoder::default();
        (entry.decode)(&Value::Null, &mut silent);
        assert!(
            silent.problems.told().iter().all(|p| p.code == crate::Code::Missing),
            "{:?}",
            silent.problems.told()
        );
    }
}

#[test]
fn the_otlp_receiver_listens_on_localhost_unless_told_otherwise() {
    let both: OtlpReceiver = good("protocols: {grpc: , http: }");
    let (grpc, http) = (both.protocols.grpc.0.unwrap(), both.protocols.http.0.unwrap());
    assert_eq!(grpc, bare::<GrpcServer>());
    assert_eq!(http, bare::<HttpServer>());
    assert_eq!(grpc.endpoint, ListenAddress::new("localhost", 4317));
    assert_eq!(grpc.transport, Transport::Tcp);
    assert_eq!((grpc.max_recv_msg_size_mib, grpc.max_concurrent_streams), (4, 0));
    assert_eq!((grpc.read_buffer_size, grpc.write_buffer_size), (512 * 1024, 32 * 1024));
    assert!(!grpc.include_metadata && grpc.tls.is_none() && grpc.keepalive.is_none());
    assert_eq!(http.endpoint, ListenAddress::new("localhost", 4318));
    assert_eq!(http.max_request_body_size, 20 * 1024 * 1024);
    let paths = [&http.traces_url_path, &http.metrics_url_path, &http.logs_url_path];
    assert_eq!(paths, ["/v1/traces", "/v1/metrics", "/v1/logs"]);
    assert_eq!(
        http.compression_algorithms,
        ["", "gzip", "zstd", "zlib", "snappy", "deflate", "lz4"]
    );
    assert_eq!((http.read_header_timeout, http.idle_timeout), (seconds(60), seconds(60)));
    assert_eq!((http.read_timeout, http.write_timeout), (seconds(0), seconds(30)));
    assert!(http.keep_alives_enabled && !http.include_metadata);
    assert!(http.tls.is_none() && http.cors.is_none());
}

#[test]
fn processors_have_otelcols_defaults() {
    let batch: Batch = good("");
    assert_eq!(batch.timeout, Duration::from_millis(200));
    assert_eq!((batch.send_batch_size, batch.send_batch_max_size), (8192, 0));
    assert_eq!((batch.metadata_keys.len(), batch.metadata_cardinality_limit), (0, 1000));
    let limiter: MemoryLimiter = bare();
    assert_eq!(limiter.check_interval, Duration::ZERO);
    assert_eq!((limiter.limit_mib, limiter.spike_limit_mib), (0, 0));
    assert_eq!((limiter.limit_percentage, limiter.spike_limit_percentage), (0, 0));
    assert_eq!(limiter.min_gc_interval_when_soft_limited, seconds(10));
    assert_eq!(limiter.min_gc_interval_when_hard_limited, seconds(0));
    let attributes: Attributes = bare();
    assert!(
        attributes.actions.is_empty()
            && attributes.include.is_none()
            && attributes.exclude.is_none()
    );
    assert!(bare::<Resource>().attributes.is_empty());
    assert!(bare::<Match>().match_type.is_none());
}

#[test]
fn retry_queue_and_tls_have_otelcols_defaults() {
    let retry: Retry = good("");
    assert!(retry.enabled);
    assert_eq!((retry.initial_interval, retry.max_interval), (seconds(5), seconds(30)));
    assert_eq!(retry.max_elapsed_time, seconds(300));
    assert!((retry.multiplier - 1.5).abs() < f64::EPSILON);
    assert!((retry.randomization_factor - 0.5).abs() < f64::EPSILON);
    let queue: Queue = good("");
    assert!(queue.enabled && !queue.block_on_overflow && !queue.wait_for_result);
    assert_eq!((queue.num_consumers, queue.queue_size, queue.sizer), (10, 1000, Sizer::Requests));
    assert!(queue.storage.is_none() && queue.batch.is_none());
    let batch: QueueBatch = good("");
    assert_eq!(batch.flush_timeout, Duration::from_millis(200));
    assert_eq!((batch.min_size, batch.max_size, batch.sizer), (8192, 0, None));
    let tls: ClientTls = good("");
    assert!(!tls.insecure && !tls.insecure_skip_verify && !tls.include_system_ca_certs_pool);
    assert_eq!(
        (tls.min_version, tls.max_version, tls.reload_interval),
        (TlsVersion::V1_2, None, None)
    );
    assert_eq!(bare::<ServerTls>().min_version, TlsVersion::V1_2);
    let keepalive: ClientKeepalive = good("");
    assert_eq!((keepalive.time, keepalive.timeout), (seconds(10), seconds(10)));
    assert!(!keepalive.permit_without_stream);
}

#[test]
fn exporters_have_otelcols_defaults() {
    let otlp: OtlpExporter = good("endpoint: a:1");
    assert_eq!((otlp.compression, otlp.timeout), (Compression::Gzip, seconds(5)));
    assert_eq!((otlp.tls, otlp.retry_on_failure, otlp.sending_queue), (bare(), bare(), bare()));
    assert_eq!((otlp.read_buffer_size, otlp.write_buffer_size), (32 * 1024, 512 * 1024));
    assert_eq!(otlp.max_request_bytes, 7 * 512 * 1024);
    assert!(!otlp.wait_for_ready && otlp.headers.is_empty() && otlp.keepalive.is_none());
    let http: OtlpHttpExporter = good("endpoint: http://a");
    assert_eq!(
        (http.compression, http.encoding, http.timeout),
        (Compression::Gzip, Encoding::Proto, seconds(30))
    );
    assert_eq!((http.tls, http.retry_on_failure, http.sending_queue), (bare(), bare(), bare()));
    assert!(
        http.traces_endpoint.is_none()
            && http.metrics_endpoint.is_none()
            && http.logs_endpoint.is_none()
    );
    let jaeger: Jaeger = good("endpoint: a:1");
    assert_eq!((jaeger.compression, jaeger.timeout), (Compression::None, seconds(5)));
    assert_eq!(
        (jaeger.tls, jaeger.retry_on_failure, jaeger.sending_queue),
        (bare(), bare(), bare())
    );
    assert_eq!(jaeger.max_request_bytes, 7 * 512 * 1024);
    let loki: Loki = good("endpoint: http://a");
    assert_eq!(
        (loki.timeout, loki.max_request_bytes, loki.max_line_size),
        (seconds(30), 1024 * 1024, 256 * 1024)
    );
    assert!(loki.headers.is_empty() && loki.default_labels_enabled.is_empty());
    assert_eq!((loki.tls, loki.retry_on_failure, loki.sending_queue), (bare(), bare(), bare()));
    let debug: Debug = good("");
    assert_eq!(debug.verbosity, Verbosity::Basic);
    assert_eq!((debug.sampling_initial, debug.sampling_thereafter), (2, 1));
    assert!(debug.use_internal_logger);
    let page: Prometheus = good("endpoint: :8889");
    assert_eq!(page.endpoint, ListenAddress::new("", 8889));
    assert_eq!((page.metric_expiration, page.series_limit), (seconds(300), 100_000));
    assert!(!page.send_timestamps && !page.without_scope_info && page.const_labels.is_empty());
    assert_eq!((page.enable_open_metrics, page.add_metric_suffixes), (None, None));
    assert_eq!((page.translation_strategy, page.namespace.as_str()), (None, ""));
    assert_eq!(page.resource_to_telemetry_conversion, ResourceToTelemetry { enabled: false });
}

#[test]
fn endpoints_of_exporters_have_no_default() {
    for (name, key) in [
        ("otlp", "endpoint"),
        ("otlphttp", "endpoint"),
        ("jaeger", "endpoint"),
        ("loki", "endpoint"),
        ("prometheus", "endpoint"),
    ] {
        let mut d = Decoder::default();
        (find(Class::Exporter, name).unwrap().decode)(&Value::Null, &mut d);
        let [problem] = d.problems.told() else { panic!("{name}: {:?}", d.problems.told()) };
        assert_eq!((problem.path.as_str(), problem.code), (key, crate::Code::Missing), "{name}");
    }
    assert!(bare::<Jaeger>().endpoint == Target::required());
}

#[test]
fn the_collector_itself_has_otelcols_defaults() {
    let health: HealthCheck = good("");
    assert_eq!(
        (health.endpoint.to_string(), health.path.as_str()),
        ("localhost:13133".into(), "/")
    );
    assert!(health.tls.is_none() && health.response_body.is_none());
    let telemetry: Telemetry = good("");
    assert_eq!(
        (telemetry.logs.level, telemetry.logs.encoding),
        (LogLevel::Info, LogEncoding::Console)
    );
    assert_eq!(telemetry.metrics.level, MetricsLevel::Normal);
    assert_eq!(telemetry.metrics.pages(), [ListenAddress::new("localhost", 8888)]);
}
