//! The figures of a run: their names, units and which way is better.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::stats;

/// One figure; the order is that of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Items delivered per second of the collector's CPU, as fast as it accepts.
    ItemsPerCpuSecond,
    /// Items delivered per second of the clock, on one core.
    ItemsPerSecond,
    /// Median latency at the fixed rate, in milliseconds.
    P50Ms,
    /// 99th percentile of it.
    P99Ms,
    /// CPU at the fixed rate, in percent of a core.
    CpuPercent,
    /// Seconds until a complete page has been read.
    PageSeconds,
    /// CPU seconds of the collector for a page.
    PageCpuSeconds,
    /// Memory that the first page takes beside what was resident, in MiB.
    PageExtraRssMib,
    /// Resident memory before anything is sent, in MiB.
    IdleRssMib,
    /// CPU without anything to do, in milliseconds per second.
    IdleCpuMs,
    /// Resident memory with all series held, in MiB.
    LoadedRssMib,
    /// The most resident memory, in MiB.
    PeakRssMib,
    /// Bytes of the bodies that it sends, divided by the items.
    BytesOutPerItem,
    /// The same of what it is sent.
    BytesInPerItem,
    /// Size of the program, in MiB.
    BinaryMib,
    /// Requests that were not accepted.
    Refused,
    /// Items that were accepted and did not arrive.
    Lost,
}

impl Figure {
    /// The words for it in a table.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::ItemsPerCpuSecond => "items per CPU-second",
            Self::ItemsPerSecond => "items per second on one core",
            Self::P50Ms => "p50 at a fixed rate, ms",
            Self::P99Ms => "p99 at a fixed rate, ms",
            Self::CpuPercent => "CPU at a fixed rate, % of a core",
            Self::PageSeconds => "page, seconds",
            Self::PageCpuSeconds => "page, CPU seconds",
            Self::PageExtraRssMib => "extra RSS of the first page, MiB",
            Self::IdleRssMib => "idle RSS, MiB",
            Self::IdleCpuMs => "idle CPU, ms per second",
            Self::LoadedRssMib => "RSS with all series, MiB",
            Self::PeakRssMib => "peak RSS, MiB",
            Self::BytesOutPerItem => "bytes out per item",
            Self::BytesInPerItem => "bytes in per item",
            Self::BinaryMib => "binary, MiB",
            Self::Refused => "requests refused",
            Self::Lost => "items accepted and lost",
        }
    }

    /// Whether a ratio of it says anything.
    #[must_use]
    pub fn compares(self) -> bool {
        !matches!(self, Self::Refused | Self::Lost | Self::BytesInPerItem)
    }
}

/// The figures of one run, or their medians.
pub type Figures = BTreeMap<Figure, f64>;

/// The median of every figure that any of `runs` has.
#[must_use]
pub fn medians(runs: &[Figures]) -> Figures {
    let mut values: BTreeMap<Figure, Vec<f64>> = BTreeMap::new();
    for (figure, value) in runs.iter().flatten() {
        values.entry(*figure).or_default().push(*value);
    }
    let medians = values.into_iter().map(|(figure, all)| Some((figure, stats::median(&all)?)));
    medians.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_own_median() {
        let run = |p50, p99: Option<f64>| -> Figures {
            let p99 = p99.map(|value| (Figure::P99Ms, value));
            [(Figure::P50Ms, p50)].into_iter().chain(p99).collect()
        };
        let runs = [run(1.0, Some(7.0)), run(9.0, None), run(2.0, Some(8.0))];
        let expected = Figures::from([(Figure::P50Ms, 2.0), (Figure::P99Ms, 7.5)]);
        assert_eq!(medians(&runs), expected);
        assert!(medians(&[]).is_empty());
    }
}
