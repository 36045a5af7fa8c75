//! libFuzzer: views read what prost reads.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| obspipe_collector::fuzz::views(data));
