//! YAML in and out. Reading refuses what means one thing to one reader and another to the next;
//! writing quotes it.

mod emit;
mod parse;
mod scalar;

pub use emit::emit;
pub use parse::{MAX_DOCUMENT_BYTES, parse};

#[cfg(test)]
mod tests;
