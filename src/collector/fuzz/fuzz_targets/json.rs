//! libFuzzer: JSON, written and read.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| obspipe_collector::fuzz::json(data));
