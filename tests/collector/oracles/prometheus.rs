//! The page of the prometheus exporter beside that of otelcol v0.155: line by line, by the format
//! that the scraper asks for and by the settings.

use std::collections::BTreeSet;

use obspipe_backends::{Release, http};
use prost::Message as _;

use super::generate::{Dice, metrics_for_a_page};
use super::{Differences, METRICS, Pair, REQUESTS};

const CONFIGURATION: &str = "
receivers:
  otlp: { protocols: { grpc: { endpoint: '{grpc}' } } }
exporters:
  prometheus: { endpoint: '{page}', SETTINGS }
service:
  pipelines:
    metrics: { receivers: [otlp], exporters: [prometheus] }
";

const TEXT: &str = "text/plain;version=0.0.4";
const OPEN: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8,*/*;q=0.1";

const CREATED: &str = "_created says since when a counter counts";
const BUCKETS: &str = "exponential histograms have classic buckets";

/// What only our page has.
fn added(line: &str) -> Option<&'static str> {
    let name = line.split(['{', ' ']).next().unwrap_or_default();
    if name.ends_with("_created") {
        return Some(CREATED);
    }
    (name.contains("exponential") && name.ends_with("_bucket")).then_some(BUCKETS)
}

/// The lines of both pages, ours without what is added, which is counted.
async fn pages(pair: &Pair, accept: &str, differences: &mut Differences) -> [BTreeSet<String>; 2] {
    let mut both = [BTreeSet::new(), BTreeSet::new()];
    for (address, lines) in
        [pair.ours.page, pair.theirs.endpoints().prometheus].iter().zip(&mut both)
    {
        let page = http::get_with(*address, "/metrics", &[("accept", accept)]).await;
        let page = page.expect("a page");
        let text = std::str::from_utf8(&page.body).expect("UTF-8");
        *lines = text.lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), text.lines().count(), "a line twice");
    }
    let [ours, theirs] = &mut both;
    ours.retain(|line| match added(line) {
        Some(name) if !theirs.contains(line) => {
            differences.met(name, 1);
            false
        }
        _ => true,
    });
    both
}

/// Sends the same to both and compares their pages.
async fn compare(settings: &str, accept: &str, names: &[&'static str]) {
    let configuration = CONFIGURATION.replace("SETTINGS", settings);
    let mut pair = Pair::start(Release::Peer, &configuration, &[]).await;
    let mut differences = Differences::new("prometheus exporter (v0.155)", names);
    let mut dice = Dice::new(4);
    for number in 0..REQUESTS {
        let request = metrics_for_a_page(&mut dice, number).encode_to_vec();
        assert_eq!(pair.export(METRICS, &request, &request).await, [0, 0]);
    }
    let [ours, theirs] = pages(&pair, accept, &mut differences).await;
    assert!(theirs.len() > 20 * REQUESTS, "{} lines are too few to tell", theirs.len());
    let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
        one.difference(other).take(10).cloned().collect()
    };
    let (more, missing) = (only(&ours, &theirs), only(&theirs, &ours));
    assert!(
        more.is_empty() && missing.is_empty(),
        "with {settings:?} and {accept:?}\n--- ours\n{}\n--- theirs\n{}",
        more.join("\n"),
        missing.join("\n"),
    );
    differences.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_page_is_that_of_otelcol() {
    compare("", TEXT, &[BUCKETS]).await;
    let settings = "send_timestamps: true, namespace: ns, const_labels: { region: 'eu \"1\"' }";
    compare(settings, TEXT, &[BUCKETS]).await;
    compare("resource_to_telemetry_conversion: { enabled: true }", TEXT, &[BUCKETS]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_metrics_page_is_that_of_otelcol() {
    compare("enable_open_metrics: true", OPEN, &[BUCKETS, CREATED]).await;
    let settings = "enable_open_metrics: true, send_timestamps: true, \
                    translation_strategy: NoUTF8EscapingWithSuffixes";
    compare(settings, OPEN, &[BUCKETS, CREATED]).await;
}
