//! How many bytes telemetry may take: from the memory_limiters, the container's limit, and what the
//! process takes anyway.

use std::fs;

use obspipe_model::components::memory_limiter::MemoryLimiter;

const MIB: usize = 1024 * 1024;
/// Kept for connections: their buffers are not in the account.
const CONNECTIONS: usize = 16 * MIB;
/// What the allocator holds of every four bytes beyond what it was asked for, under load: holes between
/// requests of all sizes, and what it has not given back yet. Measured (tests/collector/overload.rs).
const HOLES: usize = 1;
/// Of the container's memory without a memory_limiter, in percent.
const CEILING_PERCENT: usize = 80;
/// Without a container's limit either.
const CEILING: usize = 1024 * MIB;
/// However little is left, this much: a request of the default size passes.
const LEAST: usize = 8 * MIB;

/// Bytes for telemetry where no memory_limiter says otherwise.
#[must_use]
pub fn ceiling(container: Option<usize>, base: usize) -> usize {
    let limit = container.map_or(CEILING, |bytes| bytes / 100 * CEILING_PERCENT);
    usable(limit, base)
}

/// Bytes for telemetry under a memory_limiter: its soft limit without what the process takes anyway
/// (otelcol processor/memorylimiterprocessor: soft = limit - spike).
#[must_use]
pub fn limited(limiter: &MemoryLimiter, container: Option<usize>, base: usize) -> usize {
    let total = container.unwrap_or(CEILING);
    let mib = |value: u64| usize::try_from(value).unwrap_or(usize::MAX).saturating_mul(MIB);
    let percent = |value: u32| total / 100 * value as usize;
    let (limit, spike) = match limiter.limit_mib {
        0 => (percent(limiter.limit_percentage), percent(limiter.spike_limit_percentage)),
        limit => (mib(limit), mib(limiter.spike_limit_mib)),
    };
    let spike = if spike == 0 { limit / 5 } else { spike };
    usable(limit.saturating_sub(spike), base)
}

fn usable(limit: usize, base: usize) -> usize {
    let left = limit.saturating_sub(base).saturating_sub(CONNECTIONS.min(limit / 8));
    (left / 4 * (4 - HOLES)).max(LEAST.min(limit))
}

/// The container's memory limit in bytes (cgroup v2, then v1); None where there is none.
#[must_use]
pub fn container() -> Option<usize> {
    let paths = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let read = paths.iter().find_map(|path| fs::read_to_string(path).ok())?;
    // v1 says "no limit" with a number near 2^63.
    read.trim().parse().ok().filter(|bytes| *bytes < 1 << 50)
}

/// Bytes that the process has in memory now.
#[must_use]
pub fn resident() -> usize {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

#[cfg(test)]
mod tests;
