//! The collector as a program, against real backends, real clients, and backends that fail in every
//! way. Each test starts what it needs and ends it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::too_many_lines)]

mod bad_input;
mod client;
mod collector;
mod document;
mod faults;
mod frames;
mod oracles;
mod overload;
mod page;
mod static_binary;
mod telemetry;
mod web;
