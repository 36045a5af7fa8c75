use super::*;

fn limiter(limit_mib: u64, spike_limit_mib: u64, percent: u32) -> MemoryLimiter {
    MemoryLimiter {
        limit_mib,
        spike_limit_mib,
        limit_percentage: percent,
        ..MemoryLimiter::default()
    }
}

#[test]
fn the_soft_limit_is_what_may_be_used() {
    // 200 - 20 % - base 8 - connections 16, and three quarters of that
    assert_eq!(limited(&limiter(200, 0, 0), None, 8 * MIB), 102 * MIB);
    // 100 - 10 - an eighth
    let left = 90 * MIB - 100 * MIB / 8;
    assert_eq!(limited(&limiter(200, 100, 0), None, 10 * MIB), left / 4 * 3);
}

#[test]
fn percentages_are_of_the_container() {
    let container = Some(1000 * MIB);
    let usable = limited(&limiter(0, 0, 50), container, 0);
    let without_holes = |bytes: usize| bytes / 4 * 3;
    assert_eq!(usable, without_holes(400 * MIB - CONNECTIONS));
    assert_eq!(ceiling(container, 0), without_holes(800 * MIB - CONNECTIONS));
    assert_eq!(ceiling(None, 0), without_holes(CEILING - CONNECTIONS));
}

#[test]
fn however_small_the_limit_a_request_passes() {
    assert_eq!(limited(&limiter(20, 0, 0), None, 100 * MIB), LEAST);
    assert_eq!(limited(&limiter(4, 0, 0), None, 100 * MIB), 4 * MIB - 4 * MIB / 5);
}

#[test]
fn this_process_is_in_memory() {
    assert!(resident() > MIB);
}
