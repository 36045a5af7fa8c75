//! The collector's program: the allocator, and the command line.

use std::process::ExitCode;

/// Gives memory back and is fast with many threads (docs/decisions/, Allocator).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    obspipe_collector::cli::main()
}
