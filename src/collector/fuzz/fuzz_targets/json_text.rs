//! libFuzzer: text read as JSON.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| obspipe_collector::fuzz::json_text(data));
