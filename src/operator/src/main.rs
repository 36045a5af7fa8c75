//! The operator's program: everything it does is in the library.

use std::process::ExitCode;

use clap::Parser;
use obspipe_operator::cli;

fn main() -> ExitCode {
    cli::main(cli::Arguments::parse())
}
