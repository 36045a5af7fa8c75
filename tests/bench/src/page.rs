//! Prometheus' side of a page: reads it whole and counts its series.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::load::http_get;
use crate::stats;

/// How often a page is read for its time.
pub const TIMES: u8 = 5;

/// Reads the page on `port` several times; the median of the seconds that it takes.
///
/// # Errors
/// It is not there, or not complete.
pub async fn read(port: u16, series: usize) -> Result<f64> {
    let mut seconds = Vec::with_capacity(TIMES.into());
    for _ in 0..TIMES {
        let start = Instant::now();
        let text = http_get(port, "/metrics").await?;
        seconds.push(start.elapsed().as_secs_f64());
        let found = count(&text);
        ensure!(found == series, "{found} of {series} series on the page");
    }
    stats::median(&seconds).context("no page")
}

/// Series on a page, without those that every exporter adds about resources and scopes.
fn count(page: &[u8]) -> usize {
    let lines = page.split(|byte| *byte == b'\n');
    let series = |line: &&[u8]| {
        !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"target_info")
    };
    lines.filter(series).count()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn comments_and_the_targets_are_not_counted() {
        let page = b"# HELP a A\n# TYPE a gauge\na{b=\"c\"} 1\na{b=\"d\"} 2\n\ntarget_info{} 1\n";
        assert_eq!(count(page), 2);
        assert_eq!(count(b""), 0);
    }
}
