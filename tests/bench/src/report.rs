//! Makes tables and JSON of what was measured; a figure that was not measured is an empty cell.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::figure::{Figure, Figures, medians};
use crate::machine::Facts;
use crate::measure::Settings;
use crate::peers::{Id, Peer};
use crate::scenario::{Kind, Output, Scenario};
use crate::stats;
use crate::wire::Compression;

/// All runs of one collector in one scenario.
#[derive(Clone, Debug)]
pub struct Runs {
    /// Which one.
    pub id: Id,
    /// A run each.
    pub runs: Vec<Figures>,
}

/// What came of one scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which one.
    pub scenario: &'static Scenario,
    /// Who was measured, ours first.
    pub peers: Vec<Runs>,
    /// Who was not, and why.
    pub skipped: Vec<Skip>,
}

/// Why a collector has no figures.
#[derive(Clone, Debug)]
pub struct Skip {
    /// Which one.
    pub id: Id,
    /// In words for a document, which names nothing of this machine.
    pub reason: &'static str,
    /// The error.
    pub detail: String,
}

/// What stands above all tables.
#[derive(Clone, Debug)]
pub struct Header {
    /// The machine.
    pub facts: Facts,
    /// The collectors that were found.
    pub peers: Vec<Peer>,
    /// What was the same in all runs.
    pub settings: Settings,
    /// Runs of each.
    pub runs: usize,
}

/// The whole section in Markdown.
#[must_use]
pub fn markdown(header: &Header, outcomes: &[Outcome]) -> String {
    let mut text = format!("## Collectors as black boxes\n\n{}", preamble(header));
    for outcome in outcomes {
        let _ = write!(text, "\n{}", table(outcome));
    }
    text
}

fn preamble(header: &Header) -> String {
    let facts = &header.facts;
    let mut text = format!(
        "{}, {} cores, {} GiB, Linux {}, load {} before the first run. One core for the collector, the rest for generator and sink. \
         Medians of {} runs of {} s, taken in turns; {} connections with {} requests under way on each.\n\n",
        facts.cpu,
        facts.cores,
        facts.memory_gib,
        facts.kernel,
        facts.load,
        header.runs,
        header.settings.seconds.as_secs_f64(),
        header.settings.connections,
        header.settings.concurrency,
    );
    let version = |peer: &Peer| {
        let mib = number(peer.binary_mib);
        format!("| {} | {} | {mib} |\n", peer.id.name(), peer.version)
    };
    text.push_str("| collector | version | binary, MiB |\n|---|---|---|\n");
    text.extend(header.peers.iter().map(version));
    text
}

/// One scenario's table: a column for each collector, and for each peer the ratio of ours to it.
#[must_use]
pub fn table(outcome: &Outcome) -> String {
    let columns: Vec<(Id, Figures)> =
        outcome.peers.iter().map(|peer| (peer.id, medians(&peer.runs))).collect();
    let ours = columns.iter().find(|(id, _)| *id == Id::Ours).map(|(_, figures)| figures);
    let mut text = format!("### {}\n\n", outcome.scenario.title);
    if let Kind::Load { rate, .. } = outcome.scenario.kind {
        let what = outcome.scenario.signal.items();
        let _ = writeln!(text, "Items are {what}; the fixed rate is {rate} requests per second.\n");
    }
    if !columns.is_empty() {
        let mut head = String::from("| figure |");
        for (id, _) in &columns {
            let _ = write!(head, " {} |", id.name());
            head.push_str(if *id == Id::Ours { "" } else { " ratio |" });
        }
        let rule = "---|".repeat(head.matches('|').count() - 1);
        let _ = writeln!(text, "{head}\n|{rule}");
        text.extend(rows(outcome.scenario, &columns, ours));
    }
    for (id, _) in columns.iter().filter(|(_, values)| disobeys(outcome.scenario, values)) {
        let name = id.name();
        let _ = writeln!(text, "\n{name} compresses although told not to: no ratio is given.");
    }
    for skip in &outcome.skipped {
        let _ = writeln!(text, "\n{} was not measured: {}.", skip.id.name(), skip.reason);
    }
    text
}

/// Whether a collector compressed what it was told to send as it is, which makes its CPU another
/// task's: what comes out is then far smaller than what went in.
fn disobeys(scenario: &Scenario, values: &Figures) -> bool {
    let plain = matches!(scenario.output, Output::Otlp(_, Compression::None));
    let bytes = |figure| values.get(&figure).copied();
    let share = stats::ratio(bytes(Figure::BytesOutPerItem), bytes(Figure::BytesInPerItem));
    plain && share.is_some_and(|share| share < 0.5)
}

fn rows(scenario: &Scenario, columns: &[(Id, Figures)], ours: Option<&Figures>) -> Vec<String> {
    let mut figures: Vec<Figure> =
        columns.iter().flat_map(|(_, figures)| figures.keys().copied()).collect();
    figures.sort_unstable();
    figures.dedup();
    let row = |figure: Figure| {
        let mut row = format!("| {} |", figure.label());
        for (id, values) in columns {
            let value = values.get(&figure).copied();
            let _ = write!(row, " {} |", value.map_or(String::new(), number));
            if *id != Id::Ours {
                let ours = ours.and_then(|ours| ours.get(&figure)).copied();
                let ratio = stats::ratio(ours, value)
                    .filter(|_| figure.compares() && !disobeys(scenario, values));
                let _ = write!(row, " {} |", ratio.map_or(String::new(), number));
            }
        }
        row + "\n"
    };
    figures.into_iter().map(row).collect()
}

/// Three digits that say something, and thousands apart.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        small if small < 0.0005 => 0,
        small if small < 1.0 => 3,
        small if small < 10.0 => 2,
        small if small < 100.0 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(a, b)| (a, b));
    let mut spaced = String::new();
    for (at, digit) in whole.chars().enumerate() {
        let left = whole.len() - at;
        if at > 0 && left % 3 == 0 && !spaced.ends_with('-') {
            spaced.push(' ');
        }
        spaced.push(digit);
    }
    if rest.is_empty() { spaced } else { format!("{spaced}.{rest}") }
}

/// Everything, each run by itself.
#[must_use]
pub fn json(header: &Header, outcomes: &[Outcome]) -> Value {
    let peer = |peer: &Peer| json!({"name": peer.id.name(), "version": peer.version});
    let runs = |peer: &Runs| json!({"name": peer.id.name(), "runs": peer.runs, "median": medians(&peer.runs)});
    let skipped = |skip: &Skip| json!({"name": skip.id.name(), "reason": skip.detail});
    let scenario = |outcome: &Outcome| {
        json!({
            "name": outcome.scenario.name,
            "title": outcome.scenario.title,
            "collectors": outcome.peers.iter().map(runs).collect::<Vec<_>>(),
            "skipped": outcome.skipped.iter().map(skipped).collect::<Vec<_>>(),
        })
    };
    json!({
        "machine": header.facts,
        "collectors": header.peers.iter().map(peer).collect::<Vec<_>>(),
        "seconds": header.settings.seconds.as_secs_f64(),
        "connections": header.settings.connections,
        "concurrency": header.settings.concurrency,
        "scenarios": outcomes.iter().map(scenario).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCENARIOS;

    fn runs(id: Id, rates: &[f64]) -> Runs {
        let run =
            |rate: &f64| Figures::from([(Figure::ItemsPerCpuSecond, *rate), (Figure::Lost, 0.0)]);
        Runs { id, runs: rates.iter().map(run).collect() }
    }

    fn outcome(peers: Vec<Runs>, skipped: Vec<Skip>) -> Outcome {
        Outcome { scenario: &SCENARIOS[0], peers, skipped }
    }

    #[test]
    fn medians_and_ratios_are_in_the_table() {
        let ours = runs(Id::Ours, &[900_000.0, 1_000_000.0, 5.0]);
        let theirs = runs(Id::Otelcol, &[300_000.0]);
        let skipped = vec![Skip { id: Id::Rotel, reason: "not there", detail: "/x".into() }];
        let expected = "### Spans, OTLP/gRPC to OTLP/gRPC, uncompressed\n\n\
            Items are spans; the fixed rate is 40 requests per second.\n\n\
            | figure | obspipe-collector | otelcol | ratio |\n\
            |---|---|---|---|\n\
            | items per CPU-second | 900 000 | 300 000 | 3.00 |\n\
            | items accepted and lost | 0 | 0 |  |\n\n\
            rotel was not measured: not there.\n";
        assert_eq!(table(&outcome(vec![ours, theirs], skipped)), expected);
    }

    #[test]
    fn nothing_is_made_up() {
        let table = table(&outcome(vec![runs(Id::Otelcol, &[2.0])], Vec::new()));
        assert!(table.contains("| items per CPU-second | 2.00 |  |\n"), "{table}");
        assert!(!table.contains("obspipe-collector"));
        let empty = super::table(&outcome(Vec::new(), Vec::new()));
        assert!(!empty.contains('|'), "{empty}");
    }

    #[test]
    fn who_compresses_unasked_has_no_ratio() {
        let bytes = |out| [(Figure::BytesInPerItem, 400.0), (Figure::BytesOutPerItem, out)];
        let table = |out| {
            let mut theirs = runs(Id::Rotel, &[2.0]);
            theirs.runs[0].extend(bytes(out));
            table(&outcome(vec![runs(Id::Ours, &[6.0]), theirs], Vec::new()))
        };
        assert!(table(390.0).contains("| 6.00 | 2.00 | 3.00 |"), "{}", table(390.0));
        let unasked = table(60.0);
        assert!(unasked.contains("| 6.00 | 2.00 |  |"), "{unasked}");
        assert!(unasked.contains("rotel compresses although told not to"), "{unasked}");
    }

    #[test]
    fn numbers_have_three_digits() {
        let all = [0.0, 0.1234, 1.234, 12.34, 123.4, 1234.5, 1_234_567.0, -1234.0, -123.0];
        let text: Vec<_> = all.into_iter().map(number).collect();
        let expected =
            ["0", "0.123", "1.23", "12.3", "123", "1 234", "1 234 567", "-1 234", "-123"];
        assert_eq!(text, expected);
    }

    #[test]
    fn json_has_every_run() {
        let header = Header {
            facts: Facts {
                cpu: "CPU".into(),
                cores: 2,
                memory_gib: 4,
                load: 0.1,
                kernel: "6".into(),
            },
            peers: Vec::new(),
            settings: Settings {
                seconds: std::time::Duration::from_secs(5),
                connections: 1,
                concurrency: 2,
                patch_ids: false,
            },
            runs: 2,
        };
        let outcomes = [outcome(vec![runs(Id::Ours, &[1.0, 3.0])], Vec::new())];
        let value = json(&header, &outcomes);
        let collector = &value["scenarios"][0]["collectors"][0];
        assert_eq!(collector["runs"][1]["items_per_cpu_second"], 3.0);
        assert_eq!(collector["median"]["items_per_cpu_second"], 2.0);
        assert!(markdown(&header, &outcomes).contains("CPU, 2 cores, 4 GiB, Linux 6, load 0.1 "));
    }
}
