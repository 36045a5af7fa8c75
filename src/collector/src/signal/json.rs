//! OTLP in JSON (OTLP specification, JSON Protobuf Encoding; protobuf.dev, ProtoJSON) to protobuf
//! and back, by the table of messages. Knows no message but by that table, and nothing of HTTP.

mod error;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod generate;
mod names;
mod read;
mod scalar;
mod write;

pub use error::JsonError;
pub use read::from_json;
pub use write::{status_json, to_json};

#[cfg(test)]
mod tests;
