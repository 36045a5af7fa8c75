//! The collector's program: the allocator, and the command line.

use std::process::ExitCode;

/// Gives memory back and is fast with many threads (docs/decisions/, Allocator).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Where the kernel gives huge pages unasked, a few small things take many MiB. What cannot be
    // had is no harm.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    obspipe_collector::cli::main()
}
