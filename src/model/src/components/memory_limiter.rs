//! The memory_limiter processor (otelcol processor/memorylimiterprocessor).

use std::time::Duration;

use crate::decode::Decoder;
use crate::problem::Code;
use crate::settings::settings;

settings! {
    /// Refuses before memory runs out.
    pub struct MemoryLimiter {
        /// How often otelcol measures; ours accounts all the time, and still wants it given.
        check_interval: Duration = Duration::ZERO,
        /// Limit in MiB.
        limit_mib: u64 = 0,
        /// Part of the limit kept free for a burst, in MiB; 20 % of the limit unless given.
        spike_limit_mib: u64 = 0,
        /// Limit in percent of the container's memory.
        limit_percentage: u32 = 0,
        /// Part of it kept free for a burst, in percent of the container's memory.
        spike_limit_percentage: u32 = 0,
        /// otelcol: shortest time between forced collections; no effect here.
        min_gc_interval_when_soft_limited: Duration = Duration::from_secs(10),
        /// otelcol: shortest time between forced collections; no effect here.
        min_gc_interval_when_hard_limited: Duration = Duration::ZERO,
    }
    check = memory_limiter;
}

fn memory_limiter(limiter: &MemoryLimiter, d: &mut Decoder) {
    if limiter.check_interval.is_zero() && !d.is_unsettled("check_interval") {
        d.problem_at("check_interval", Code::Missing, "must be given, and above 0");
    }
    let deferred = d.is_unsettled("limit_mib") || d.is_unsettled("limit_percentage");
    if limiter.limit_mib == 0 && limiter.limit_percentage == 0 && !deferred {
        d.problem(Code::Missing, "limit_mib or limit_percentage must be given");
    }
    if limiter.limit_mib > 0 && limiter.spike_limit_mib >= limiter.limit_mib {
        d.problem_at("spike_limit_mib", Code::InvalidValue, "must be below limit_mib");
    }
    if limiter.limit_percentage > 100 {
        d.problem_at("limit_percentage", Code::InvalidValue, "must be from 1 to 100");
    }
    let (limit, spike) = (limiter.limit_percentage, limiter.spike_limit_percentage);
    if spike > 100 || (limit > 0 && spike >= limit) {
        d.problem_at(
            "spike_limit_percentage",
            Code::InvalidValue,
            "must be below limit_percentage",
        );
    }
}
