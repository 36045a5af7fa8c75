//! The page of the prometheus exporter beside that of otelcol v0.155: line by line, by the format
//! that the scraper asks for and by the settings.

use std::collections::BTreeSet;
use std::net::SocketAddr;

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
const NOTHING: &str = "no HELP without a description";
const BUCKETS: &str = "exponential histograms have classic buckets";

/// A line; numbers and the labels of an exemplar can be written in more than one way.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line<'a> {
    /// A sample's name and labels, or all of a comment.
    text: &'a str,
    /// The value and the time: their bits, by which NaN is NaN.
    numbers: Vec<u64>,
    /// The labels of the exemplar, its value and its time.
    exemplar: Option<(BTreeSet<&'a str>, Vec<u64>)>,
}

impl<'a> Line<'a> {
    fn of(text: &'a str) -> Self {
        if text.is_empty() || text.starts_with('#') {
            return Self { text, numbers: Vec::new(), exemplar: None };
        }
        let numbers = |text: &str| -> Vec<u64> {
            let number = |it: &str| it.parse().unwrap_or_else(|_| panic!("a number: {it:?}"));
            text.split(' ').map(|it| f64::to_bits(number(it))).collect()
        };
        // In an exemplar are ids: no comma and no brace is within a value.
        let (sample, exemplar) = match text.rsplit_once(" # {") {
            Some((sample, exemplar)) => (sample, exemplar.split_once("} ")),
            None => (text, None),
        };
        let exemplar = exemplar.map(|(labels, rest)| (labels.split(',').collect(), numbers(rest)));
        let end = sample.rfind("} ").map(|at| at + 1).or(sample.find(' ')).expect("a value");
        let (text, value) = sample.split_at(end);
        Self { text, numbers: numbers(&value[1..]), exemplar }
    }

    /// What is added to what otelcol shows.
    fn added(&self) -> Option<&'static str> {
        // Names with characters of any kind are in quotes within the braces.
        let name = match self.text.strip_prefix("{\"") {
            Some(quoted) => quoted.split('"').next(),
            None => self.text.split('{').next(),
        };
        let name = name.unwrap_or_default();
        if name.ends_with("_created") {
            return Some(CREATED);
        }
        (name.contains("exponential") && name.ends_with("_bucket")).then_some(BUCKETS)
    }

    /// Whether it is a description that is none, which only otelcol writes.
    fn says_nothing(&self) -> bool {
        self.text.starts_with("# HELP ") && self.text.ends_with(' ')
    }
}

fn sorted(page: &str) -> Vec<Line<'_>> {
    let mut lines: Vec<_> = page.split('\n').map(Line::of).collect();
    lines.sort_unstable();
    lines
}

async fn page(address: SocketAddr, accept: &str) -> String {
    let page = http::get_with(address, "/metrics", &[("accept", accept)]).await.expect("a page");
    String::from_utf8(page.body.to_vec()).expect("UTF-8")
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
    let ours = page(pair.ours.page, accept).await;
    let theirs = page(pair.theirs.endpoints().prometheus, accept).await;
    let (mut ours, mut theirs) = (sorted(&ours), sorted(&theirs));
    assert!(theirs.len() > 20 * REQUESTS, "{} lines are too few to tell", theirs.len());
    ours.retain(|line| {
        let added = line.added().filter(|_| !theirs.contains(line));
        added.into_iter().for_each(|name| differences.met(name, 1));
        added.is_none()
    });
    theirs.retain(|line| {
        differences.met(NOTHING, usize::from(line.says_nothing()));
        !line.says_nothing()
    });
    if ours != theirs {
        let only = |one: &[Line], other: &[Line]| -> String {
            let lines = one.iter().filter(|line| !other.contains(line)).take(10);
            lines.map(|line| format!("{line:?}\n")).collect()
        };
        let (more, missing) = (only(&ours, &theirs), only(&theirs, &ours));
        panic!("with {settings:?} and {accept:?}\n--- ours\n{more}--- theirs\n{missing}");
    }
    differences.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_page_is_that_of_otelcol() {
    compare("", TEXT, &[NOTHING, BUCKETS]).await;
    let settings = "send_timestamps: true, namespace: ns, const_labels: { region: 'eu \"1\"' }";
    compare(settings, TEXT, &[NOTHING, BUCKETS]).await;
    compare("resource_to_telemetry_conversion: { enabled: true }", TEXT, &[NOTHING, BUCKETS]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_open_metrics_page_is_that_of_otelcol() {
    compare("enable_open_metrics: true", OPEN, &[NOTHING, BUCKETS, CREATED]).await;
    let settings = "enable_open_metrics: true, send_timestamps: true, \
                    translation_strategy: NoUTF8EscapingWithSuffixes";
    compare(settings, OPEN, &[NOTHING, BUCKETS, CREATED]).await;
}
