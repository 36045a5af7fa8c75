//! What collectors do per second of CPU: runs every scenario with every collector in turns, prints
//! tables, and writes them to docs/performance.md. It asserts no figures.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use obspipe_bench::figure::{Figure, Figures};
use obspipe_bench::machine::{Cores, Facts};
use obspipe_bench::measure::{Bench, Settings};
use obspipe_bench::peers::{self, Id, Paths, Peer};
use obspipe_bench::report::{self, Header, Outcome, Runs, Skip};
use obspipe_bench::scenario::{self, Scenario};
use obspipe_bench::section;
use obspipe_bench::sink::{self, Sink};
use tokio::task::LocalSet;

/// Measures collectors and writes docs/performance.md.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Hidden>,
    /// Runs of every collector in every scenario.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Seconds of load in a run.
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Only this scenario; may be given several times. docs/performance.md stays as it is.
    #[arg(long, value_name = "SCENARIO")]
    only: Vec<String>,
    /// Connections of the generator.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Requests under way on each connection.
    #[arg(long, default_value_t = 4)]
    concurrency: usize,
    /// Give every uncompressed span ids of its own.
    #[arg(long)]
    patch_ids: bool,
    /// Where the figures of every run go.
    #[arg(long, value_name = "FILE", default_value = "target/throughput.json")]
    json: PathBuf,
    /// Print only; leave docs/performance.md as it is.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    paths: Paths,
}

#[derive(Subcommand)]
enum Hidden {
    /// The counting backend, which this program starts itself.
    #[command(hide = true)]
    Sink,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    // One thread: it and what comes from it stay on the cores that it is given now.
    let cores = match arguments.command {
        Some(Hidden::Sink) => None,
        None => Some(Cores::divide()?),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        match cores {
            None => sink::serve().await,
            Some(cores) => measure(&arguments, cores).await,
        }
    })
}

async fn measure(arguments: &Arguments, cores: Cores) -> Result<()> {
    let scenarios = scenario::choose(&arguments.only)?;
    let settings = Settings {
        seconds: Duration::try_from_secs_f64(arguments.seconds)?,
        connections: arguments.connections,
        concurrency: arguments.concurrency,
        patch_ids: arguments.patch_ids,
    };
    let (found, missing) = find(&scenarios, &arguments.paths).await;
    let facts = Facts::read(&cores);
    let header = Header { facts, peers: found, settings: settings.clone(), runs: arguments.runs };
    let bench = Bench { cores, sink: Sink::start()?, settings };
    let progress = progress(&scenarios, &header)?;
    let mut outcomes = Vec::new();
    for scenario in scenarios {
        let outcome = run(&bench, scenario, &header, &missing, &progress).await;
        progress.suspend(|| println!("{}", report::table(&outcome)));
        outcomes.push(outcome);
    }
    progress.finish_and_clear();
    save(arguments, &header, &outcomes)
}

/// The collectors that the scenarios need: those that are there, and why the others are not.
async fn find(scenarios: &[&Scenario], paths: &Paths) -> (Vec<Peer>, Vec<Skip>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for id in Id::ALL {
        if !scenarios.iter().any(|scenario| scenario.peers.contains(&id)) {
            continue;
        }
        match peers::find(id, paths, &root()).await {
            Ok(peer) => found.push(peer),
            Err(error) => {
                eprintln!("{} is left out: {error:#}", id.name());
                missing.push(Skip { id, reason: "it was not there", detail: format!("{error:#}") });
            }
        }
    }
    (found, missing)
}

fn progress(scenarios: &[&Scenario], header: &Header) -> Result<ProgressBar> {
    let there = |id: &&Id| header.peers.iter().any(|peer| peer.id == **id);
    let peers: usize = scenarios.iter().map(|one| one.peers.iter().filter(there).count()).sum();
    let bar = ProgressBar::new((peers * header.runs) as u64);
    bar.set_style(ProgressStyle::with_template("{pos}/{len} {msg} ({elapsed}, {eta} left)")?);
    bar.enable_steady_tick(Duration::from_millis(500));
    Ok(bar)
}

/// All runs of one scenario, the collectors in turns, so that what disturbs the machine for a
/// while disturbs all of them. A collector that fails is left out of the rest.
async fn run(
    bench: &Bench,
    scenario: &'static Scenario,
    header: &Header,
    missing: &[Skip],
    progress: &ProgressBar,
) -> Outcome {
    let mut skipped: Vec<_> =
        missing.iter().filter(|skip| scenario.peers.contains(&skip.id)).cloned().collect();
    let peers: Vec<_> =
        header.peers.iter().filter(|peer| scenario.peers.contains(&peer.id)).collect();
    let empty = |peer: &&Peer| Runs { id: peer.id, runs: Vec::new() };
    let mut all: Vec<Runs> = peers.iter().map(empty).collect();
    for turn in 1..=header.runs {
        for (peer, runs) in peers.iter().zip(&mut all) {
            let name = peer.id.name();
            progress.set_message(format!("{} {name}, run {turn}", scenario.name));
            progress.inc(1);
            if skipped.iter().any(|skip| skip.id == peer.id) {
                continue;
            }
            let told = match bench.run(scenario, peer).await {
                Ok(figures) => {
                    let told = headline(&figures);
                    runs.runs.push(figures);
                    told
                }
                Err(error) => {
                    let detail = format!("{error:#}");
                    let reason = "a run of it failed";
                    skipped.push(Skip { id: peer.id, reason, detail: detail.clone() });
                    detail
                }
            };
            let line = format!("{} {name} {turn}/{}: {told}", scenario.name, header.runs);
            progress.suspend(|| eprintln!("{line}"));
        }
    }
    // Figures of some runs would look like those of all.
    all.retain(|runs| skipped.iter().all(|skip| skip.id != runs.id));
    Outcome { scenario, peers: all, skipped }
}

/// The most telling figure of a run.
fn headline(figures: &Figures) -> String {
    let telling = [Figure::ItemsPerCpuSecond, Figure::PageSeconds, Figure::IdleRssMib];
    let mut found = telling.into_iter().filter_map(|figure| Some((figure, figures.get(&figure)?)));
    found.next().map_or(String::new(), |(figure, value)| format!("{value:.2} {}", figure.label()))
}

fn save(arguments: &Arguments, header: &Header, outcomes: &[Outcome]) -> Result<()> {
    let path = root().join(&arguments.json);
    std::fs::create_dir_all(path.parent().context("the directory of --json")?)?;
    std::fs::write(&path, serde_json::to_string_pretty(&report::json(header, outcomes))?)?;
    eprintln!("every run is in {}", arguments.json.display());
    let ours = |outcome: &Outcome| outcome.peers.iter().any(|runs| runs.id == Id::Ours);
    if arguments.dry_run || !arguments.only.is_empty() {
        return Ok(());
    }
    if !outcomes.iter().any(ours) {
        eprintln!("docs/performance.md stays: obspipe-collector was not measured");
        return Ok(());
    }
    let text = report::markdown(header, outcomes);
    section::write(&root().join("docs/performance.md"), "throughput", &text)
}
