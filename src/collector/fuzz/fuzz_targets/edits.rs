//! libFuzzer: edits of bytes are edits of what is decoded.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| obspipe_collector::fuzz::edits(data));
