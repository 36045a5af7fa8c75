//! Everything that is fuzzed: functions of any bytes, which must not panic, and which panic where a
//! promise is not kept. `fuzz/` runs them with libFuzzer (`make fuzz`), the tests here with the
//! corpora in `fuzz/corpus` and with input made by chance.

pub use crate::net::fuzz::frames;
pub use crate::processors::attributes::fuzz::edits;
pub use crate::signal::fuzz::json::{json, json_text};
pub use crate::signal::fuzz::{canonical, cut, scan, views};

/// A target's name, and what takes the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets. Each has a folder in `fuzz/corpus` and a file in `fuzz/fuzz_targets`.
pub const TARGETS: [Target; 8] = [
    ("scan", scan),
    ("canonical", canonical),
    ("cut", cut),
    ("views", views),
    ("json", json),
    ("json_text", json_text),
    ("edits", edits),
    ("frames", frames),
];

#[cfg(test)]
mod tests;
