//! otelcol's text forms of telemetry. Pure.
use crate::signal::Signal;
pub fn counts(_: Signal, _: &[&[u8]]) -> String {
    String::new()
}
pub fn normal(_: Signal, _: &[&[u8]]) -> String {
    String::new()
}
pub fn detailed(_: Signal, _: &[&[u8]]) -> String {
    String::new()
}
