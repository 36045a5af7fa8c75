//! The configuration of a pipeline in each collector's own words. All get the same: a batch of at
//! most 8192 items or 200 ms, which is otelcol's and rotel's default, and a queue that makes the
//! client wait when it is full, so that nothing is accepted to be thrown away.

use std::net::TcpListener;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::peers::Id;
use crate::scenario::{Output, Scenario};
use crate::wire::Transport;

/// The loopback ports that a collector is told to use.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// Its OTLP/gRPC receiver.
    pub grpc: u16,
    /// Its OTLP/HTTP receiver.
    pub http: u16,
    /// Its Prometheus page.
    pub page: u16,
    /// The sink's.
    pub sink: u16,
}

impl Ports {
    /// Three that are free now, and the sink's.
    ///
    /// # Errors
    /// There are none.
    pub fn free(sink: u16) -> Result<Self> {
        let mut held = Vec::new();
        let mut free = || -> Result<u16> {
            let listener = TcpListener::bind(("127.0.0.1", 0))?;
            let port = listener.local_addr()?.port();
            // Held until all are chosen, so that they differ.
            held.push(listener);
            Ok(port)
        };
        Ok(Self { grpc: free()?, http: free()?, page: free()?, sink })
    }

    /// Those that a collector listens on in this scenario.
    #[must_use]
    pub fn listening(&self, scenario: &Scenario) -> Vec<u16> {
        let mut ports = vec![self.grpc, self.http];
        ports.extend((scenario.output == Output::Prometheus).then_some(self.page));
        ports
    }

    /// Where the generator sends.
    #[must_use]
    pub fn input(&self, transport: Transport) -> u16 {
        match transport {
            Transport::Grpc => self.grpc,
            Transport::Http => self.http,
        }
    }
}

/// Batches that wait, and that are being sent: few, so that memory tells of the collector and not of
/// how fast the sink is.
const QUEUE: u32 = 2;

fn address(port: u16) -> String {
    format!("127.0.0.1:{port}")
}

/// As YAML for ours and for every build of the OpenTelemetry Collector, in names that the oldest
/// of them knows.
///
/// # Errors
/// It cannot be written as YAML.
pub fn collector(scenario: &Scenario, peer: Id, ports: Ports) -> Result<String> {
    let (exporter, settings) = exporter(scenario.output, peer, ports);
    let receivers = json!({"otlp": {"protocols": {
        "grpc": {"endpoint": address(ports.grpc)},
        "http": {"endpoint": address(ports.http)},
    }}});
    let pipeline = json!({"receivers": ["otlp"], "processors": ["batch"], "exporters": [exporter]});
    let config = json!({
        "receivers": receivers,
        "processors": {"batch": {}},
        "exporters": {exporter: settings},
        "service": {
            // Two collectors of one run would meet on the port of their own metrics.
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}},
            "pipelines": {scenario.signal.name(): pipeline},
        },
    });
    Ok(serde_yaml::to_string(&config)?)
}

fn exporter(output: Output, peer: Id, ports: Ports) -> (&'static str, Value) {
    let waits = json!({"block_on_overflow": true, "queue_size": QUEUE, "num_consumers": QUEUE});
    let sink = format!("http://{}", address(ports.sink));
    match output {
        Output::Otlp(Transport::Grpc, compression) => {
            let settings = json!({
                "endpoint": address(ports.sink),
                "tls": {"insecure": true},
                "compression": compression.name(),
                "sending_queue": waits,
            });
            ("otlp", settings)
        }
        Output::Otlp(Transport::Http, compression) => {
            let name = compression.name();
            ("otlphttp", json!({"endpoint": sink, "compression": name, "sending_queue": waits}))
        }
        Output::Jaeger => {
            let settings = json!({
                "endpoint": address(ports.sink),
                "tls": {"insecure": true},
                // v0.85 cannot wait for room in a queue; without one it waits for the answer.
                "sending_queue": if peer == Id::Ours { waits } else { json!({"enabled": false}) },
            });
            ("jaeger", settings)
        }
        Output::Loki => {
            let endpoint = format!("{sink}/loki/api/v1/push");
            ("loki", json!({"endpoint": endpoint, "sending_queue": waits}))
        }
        Output::Prometheus => ("prometheus", json!({"endpoint": address(ports.page)})),
    }
}

/// As rotel's arguments; none when it cannot do it.
#[must_use]
pub fn rotel(scenario: &Scenario, ports: Ports, directory: &Path) -> Option<Vec<String>> {
    let Output::Otlp(transport, compression) = scenario.output else { return None };
    let protocol = if transport == Transport::Grpc { "grpc" } else { "http" };
    let file = |name: &str| directory.join(name).display().to_string();
    let pairs = [
        ("--pid-file", file("rotel.pid")),
        ("--log-file", file("rotel.log")),
        ("--otlp-grpc-endpoint", address(ports.grpc)),
        ("--otlp-http-endpoint", address(ports.http)),
        ("--exporter", "otlp".to_owned()),
        ("--otlp-exporter-endpoint", format!("http://{}", address(ports.sink))),
        ("--otlp-exporter-protocol", protocol.to_owned()),
        ("--otlp-exporter-compression", compression.name().to_owned()),
    ];
    let pairs = pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value]);
    Some([String::from("start")].into_iter().chain(pairs).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Kind, SCENARIOS};

    const PORTS: Ports = Ports { grpc: 1, http: 2, page: 3, sink: 4 };

    #[test]
    fn every_scenario_has_one_pipeline_of_its_own_signal() {
        for scenario in SCENARIOS {
            let text = collector(scenario, Id::Otelcol, PORTS).unwrap();
            let config: Value = serde_yaml::from_str(&text).unwrap();
            let pipelines = config["service"]["pipelines"].as_object().unwrap();
            let (signal, pipeline) = pipelines.iter().next().unwrap();
            assert_eq!((pipelines.len(), signal.as_str()), (1, scenario.signal.name()));
            let exporter = pipeline["exporters"][0].as_str().unwrap();
            assert!(config["exporters"][exporter]["endpoint"].is_string(), "{text}");
        }
    }

    #[test]
    fn compression_and_transport_reach_the_exporter() {
        let named = |name: &str| SCENARIOS.iter().find(|one| one.name == name).unwrap();
        let gzip = collector(named("spans-gzip"), Id::Ours, PORTS).unwrap();
        assert!(gzip.contains("compression: gzip"), "{gzip}");
        let http = collector(named("spans-http"), Id::Ours, PORTS).unwrap();
        assert!(http.contains("otlphttp:") && http.contains("endpoint: http://127.0.0.1:4"));
        let rotel = |name| rotel(named(name), PORTS, Path::new("d")).map(|all| all.join(" "));
        assert!(rotel("spans-http").unwrap().ends_with("-otlp-exporter-compression none"));
        assert_eq!(rotel("logs-loki"), None);
        assert!(SCENARIOS.iter().any(|one| one.kind == Kind::Idle));
    }

    #[test]
    fn free_ports_differ() {
        let ports = Ports::free(4).unwrap();
        assert!(ports.grpc != ports.http && ports.http != ports.page && ports.page != ports.grpc);
        assert_eq!(ports.input(Transport::Http), ports.http);
    }
}
