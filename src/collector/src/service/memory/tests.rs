use super::*;

<<<<<<< HEAD
const GIB: usize = 1024 * MIB;

fn limiter(limit: u64, spike: u64) -> MemoryLimiter {
    MemoryLimiter { limit_mib: limit, spike_limit_mib: spike, ..MemoryLimiter::default() }
}

fn percent(limit: u32, spike: u32) -> MemoryLimiter {
    MemoryLimiter {
        limit_percentage: limit,
        spike_limit_percentage: spike,
=======
fn limiter(limit_mib: u64, spike_limit_mib: u64, percent: u32) -> MemoryLimiter {
    MemoryLimiter {
        limit_mib,
        spike_limit_mib,
        limit_percentage: percent,
>>>>>>> wip-col
        ..MemoryLimiter::default()
    }
}

#[test]
<<<<<<< HEAD
fn without_a_limiter_most_of_the_container_or_a_gibibyte() {
    let base = 20 * MIB;
    assert_eq!(ceiling(None, base), GIB - base - CONNECTIONS);
    let container = 100 * MIB;
    // An eighth is kept for connections where that is less.
    assert_eq!(ceiling(Some(container), base), 80 * MIB - base - 10 * MIB);
}

/// otelcol: what is refused is what is above limit - spike; a fifth of the limit unless given.
#[test]
fn under_a_limiter_its_soft_limit_without_what_is_taken_anyway() {
    let base = 20 * MIB;
    let usable = |soft: usize| soft - base - CONNECTIONS;
    assert_eq!(limited(&limiter(1000, 0), None, base), usable(800 * MIB));
    assert_eq!(limited(&limiter(1000, 300), None, base), usable(700 * MIB));
    // The container's size does not matter where the limit is given in MiB.
    assert_eq!(limited(&limiter(1000, 300), Some(GIB), base), usable(700 * MIB));
=======
fn the_soft_limit_is_what_may_be_used() {
    // 200 - 20 % - base 10 - connections 16
    assert_eq!(limited(&limiter(200, 0, 0), None, 10 * MIB), 134 * MIB);
    assert_eq!(limited(&limiter(200, 100, 0), None, 10 * MIB), (100 - 10) * MIB - 100 * MIB / 8);
>>>>>>> wip-col
}

#[test]
fn percentages_are_of_the_container() {
<<<<<<< HEAD
    let container = 1000 * MIB;
    assert_eq!(limited(&percent(80, 0), Some(container), 0), 640 * MIB - CONNECTIONS);
    assert_eq!(limited(&percent(80, 30), Some(container), 0), 500 * MIB - CONNECTIONS);
    // Without one: of the gibibyte that is the ceiling.
    assert_eq!(limited(&percent(50, 10), None, 0), GIB / 100 * 40 - CONNECTIONS);
    // limit_mib comes first, as in otelcol.
    let both = MemoryLimiter { limit_mib: 500, ..percent(80, 30) };
    assert_eq!(limited(&both, Some(container), 0), 400 * MIB - CONNECTIONS);
}

#[test]
fn however_little_is_left_a_request_passes() {
    assert_eq!(limited(&limiter(50, 0), None, 500 * MIB), LEAST);
    assert_eq!(ceiling(Some(32 * MIB), 31 * MIB), LEAST);
    // But never more than the limit.
    assert_eq!(limited(&limiter(5, 0), None, 500 * MIB), 4 * MIB);
    assert_eq!(ceiling(Some(1), 0), 0);
}

#[test]
fn the_process_takes_something() {
    let resident = resident();
    assert!((MIB..100 * GIB).contains(&resident), "{resident}");
    assert!(container().is_none_or(|bytes| bytes > MIB));
=======
    let container = Some(1000 * MIB);
    let usable = limited(&limiter(0, 0, 50), container, 0);
    assert_eq!(usable, 400 * MIB - CONNECTIONS);
    assert_eq!(ceiling(container, 0), 800 * MIB - CONNECTIONS);
    assert_eq!(ceiling(None, 0), CEILING - CONNECTIONS);
}

#[test]
fn however_small_the_limit_a_request_passes() {
    assert_eq!(limited(&limiter(20, 0, 0), None, 100 * MIB), LEAST);
    assert_eq!(limited(&limiter(4, 0, 0), None, 100 * MIB), 4 * MIB - 4 * MIB / 5);
}

#[test]
fn this_process_is_in_memory() {
    assert!(resident() > MIB);
>>>>>>> wip-col
}
