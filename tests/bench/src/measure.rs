//! One run of one collector in one scenario: start it, load it, wait until all has arrived, and
//! read what it took. A run's figures are all from the same process.

use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};

use crate::config::Ports;
use crate::figure::{Figure, Figures};
use crate::load::{self, Plan, Requests, Tally, Until};
use crate::machine::Cores;
use crate::page;
use crate::payload;
use crate::peers::{self, Peer};
use crate::scenario::{Kind, Output, Scenario};
use crate::sink::Sink;
use crate::stats::float;
use crate::subject::Subject;
use crate::wire::{Compression, Signal, Transport};

/// How long a collector runs before its idle memory is read.
const AT_REST: Duration = Duration::from_secs(1);
/// Load before the load that counts: connections are made, heaps have grown.
const WARM_UP: Duration = Duration::from_secs(1);
/// The shortest time at a fixed rate that has a 99th percentile.
const LEAST_FIXED: Duration = Duration::from_secs(3);

/// What is the same in all runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long the load that counts lasts.
    pub seconds: Duration,
    /// Connections of the generator.
    pub connections: usize,
    /// Requests under way on each.
    pub concurrency: usize,
    /// Whether every span gets ids of its own; costs the generator a copy.
    pub patch_ids: bool,
}

/// What runs need beside the collector.
#[derive(Debug)]
pub struct Bench {
    /// Who runs where.
    pub cores: Cores,
    /// Where telemetry ends.
    pub sink: Sink,
    /// What is the same in all runs.
    pub settings: Settings,
}

impl Bench {
    /// Runs `scenario` with `peer` once.
    ///
    /// # Errors
    /// The collector does not start, ends, or takes nothing.
    pub async fn run(&self, scenario: &Scenario, peer: &Peer) -> Result<Figures> {
        let directory = tempfile::tempdir()?;
        let ports = Ports::free(self.sink.port)?;
        let launch = peers::launch(peer, scenario, ports, directory.path())?;
        let subject = Subject::start(&launch, &self.cores, directory.path().join("log"))?;
        tokio::time::sleep(AT_REST).await;
        let mut figures = Figures::from([
            (Figure::IdleRssMib, subject.rss_mib()?),
            (Figure::BinaryMib, peer.binary_mib),
        ]);
        match scenario.kind {
            Kind::Load { input, series, rate } => {
                let requests = Rc::new(self.requests(scenario.signal, input, series)?);
                figures.insert(Figure::BytesInPerItem, requests.bytes_per_item());
                let port = ports.input(input.0);
                let run = Run { bench: self, scenario, subject: &subject, requests, port };
                run.warm_up().await?;
                run.closed_loop(&mut figures).await?;
                run.open_loop(rate, &mut figures).await?;
            }
            Kind::Page { series } => self.page(&subject, ports, series, &mut figures).await?,
            Kind::Idle => self.idle(&subject, &mut figures).await?,
        }
        figures.insert(Figure::PeakRssMib, subject.peak_rss_mib()?);
        subject.stop()?;
        Ok(figures)
    }

    fn requests(
        &self,
        signal: Signal,
        (transport, compression): (Transport, Compression),
        series: usize,
    ) -> Result<Requests> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let now = u64::try_from(now)?;
        let payloads = match signal {
            Signal::Traces => payload::traces(now),
            Signal::Logs => payload::logs(now),
            Signal::Metrics => payload::metrics(series, now),
        };
        let patch = self.settings.patch_ids && signal == Signal::Traces;
        Requests::new(signal, transport, compression, &payloads, patch)
    }

    async fn page(
        &self,
        subject: &Subject,
        ports: Ports,
        series: usize,
        figures: &mut Figures,
    ) -> Result<()> {
        let input = (Transport::Grpc, Compression::None);
        let requests = Rc::new(self.requests(Signal::Metrics, input, series)?);
        let until = Until::Requests(requests.variants());
        let plan = Plan { port: ports.grpc, connections: 1, concurrency: 1, until, rate: None };
        let tally = load::run(&requests, plan).await?;
        ensure!(tally.refusals() == 0, "metrics were refused: {:?}", tally.refused);
        tokio::time::sleep(AT_REST).await;
        let before = subject.rss_mib()?;
        let cpu = subject.cpu_seconds()?;
        subject.reset_peak()?;
        let seconds = page::read(ports.page, series).await?;
        let cpu = (subject.cpu_seconds()? - cpu) / f64::from(page::TIMES);
        figures.insert(Figure::LoadedRssMib, before);
        figures.insert(Figure::PageExtraRssMib, subject.peak_rss_mib()? - before);
        figures.insert(Figure::PageSeconds, seconds);
        figures.insert(Figure::PageCpuSeconds, cpu);
        Ok(())
    }

    async fn idle(&self, subject: &Subject, figures: &mut Figures) -> Result<()> {
        let before = subject.cpu_seconds()?;
        tokio::time::sleep(self.settings.seconds).await;
        let used = subject.cpu_seconds()? - before;
        let per_second = used * 1000.0 / self.settings.seconds.as_secs_f64();
        figures.insert(Figure::IdleCpuMs, per_second);
        figures.insert(Figure::IdleRssMib, subject.rss_mib()?);
        Ok(())
    }
}

/// A collector under load.
struct Run<'a> {
    bench: &'a Bench,
    scenario: &'a Scenario,
    subject: &'a Subject,
    requests: Rc<Requests>,
    port: u16,
}

/// One stretch of load, from its first request until the last item has arrived.
struct Stretch {
    tally: Tally,
    cpu_seconds: f64,
    delivered: u64,
    wire_bytes: u64,
}

impl Run<'_> {
    async fn warm_up(&self) -> Result<()> {
        let warm_up = self.stretch(WARM_UP, None).await?;
        let refused = &warm_up.tally.refused;
        ensure!(warm_up.tally.accepted > 0, "nothing was accepted: {refused:?}");
        ensure!(warm_up.delivered > 0, "nothing that was accepted has arrived");
        Ok(())
    }

    async fn closed_loop(&self, figures: &mut Figures) -> Result<()> {
        let all = self.stretch(self.bench.settings.seconds, None).await?;
        ensure!(all.cpu_seconds > 0.0 && all.delivered > 0, "nothing has arrived");
        let delivered = float(all.delivered);
        figures.insert(Figure::ItemsPerCpuSecond, delivered / all.cpu_seconds);
        figures.insert(
            Figure::ItemsPerSecond,
            float(all.tally.items) / all.tally.elapsed.as_secs_f64(),
        );
        figures.insert(Figure::Refused, float(all.tally.refusals()));
        if self.scenario.output != Output::Prometheus {
            figures.insert(Figure::BytesOutPerItem, float(all.wire_bytes) / delivered);
            figures.insert(Figure::Lost, float(all.tally.items) - delivered);
        }
        Ok(())
    }

    async fn open_loop(&self, rate: f64, figures: &mut Figures) -> Result<()> {
        let time = LEAST_FIXED.max(self.bench.settings.seconds / 2);
        let all = self.stretch(time, Some(rate)).await?;
        let cpu = all.cpu_seconds * 100.0 / all.tally.elapsed.as_secs_f64();
        figures.insert(Figure::CpuPercent, cpu);
        figures.insert(Figure::P50Ms, all.tally.latency_ms(0.5));
        figures.insert(Figure::P99Ms, all.tally.latency_ms(0.99));
        Ok(())
    }

    async fn stretch(&self, time: Duration, rate: Option<f64>) -> Result<Stretch> {
        let (sink, settings) = (&self.bench.sink, &self.bench.settings);
        let before = (self.subject.cpu_seconds()?, sink.counts().await?);
        let (connections, concurrency) = (settings.connections, settings.concurrency);
        let until = Until::Time(time);
        let plan = Plan { port: self.port, connections, concurrency, until, rate };
        let tally = load::run(&self.requests, plan).await?;
        let (delivered, wire_bytes) = if self.scenario.output == Output::Prometheus {
            // Nothing is sent on: what was accepted is on the page.
            (tally.items, 0)
        } else {
            let after = sink.settle(before.1.items + tally.items).await?;
            ensure!(after.failed == before.1.failed, "the sink did not understand what it got");
            (after.items - before.1.items, after.wire_bytes - before.1.wire_bytes)
        };
        let cpu_seconds = self.subject.cpu_seconds()? - before.0;
        Ok(Stretch { tally, cpu_seconds, delivered, wire_bytes })
    }
}
