//! libFuzzer: a scan accepts what prost accepts.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| obspipe_collector::fuzz::scan(data));
