//! libFuzzer: canonical form changes no content.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| obspipe_collector::fuzz::canonical(data));
