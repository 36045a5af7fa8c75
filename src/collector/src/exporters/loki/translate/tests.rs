use super::*;

mod model;
mod oracle;

/// The time it is.
const NOW: u64 = 1_800_000_000_000_000_000;

fn settings() -> Loki {
    Loki { max_request_bytes: 1 << 30, max_line_size: 1 << 20, ..Loki::default() }
}
