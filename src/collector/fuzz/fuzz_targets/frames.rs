//! libFuzzer: compressed bodies, and what gRPC says.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| obspipe_collector::fuzz::frames(data));
