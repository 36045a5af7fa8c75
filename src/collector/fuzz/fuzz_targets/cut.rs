//! libFuzzer: pieces hold what the request holds.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| obspipe_collector::fuzz::cut(data));
