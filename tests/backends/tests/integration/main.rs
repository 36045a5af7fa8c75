//! Tests of the backends: `capture` and `process` take a second; `real` runs the programs,
//! which the first time takes as long as their builds.

#![allow(clippy::unwrap_used, clippy::panic)]

mod capture;
mod process;
mod real;
