//! The prometheus exporter: metrics on a page that Prometheus scrapes.

pub mod exponential;
pub mod format;
pub mod histogram;
pub mod labels;
pub mod names;
pub mod number;
pub mod page;
pub mod point;
pub mod state;
pub mod store;
pub mod value;

mod admit;
mod checksum;
mod expire;
mod exporter;
mod slots;

pub use exporter::Prometheus;

#[cfg(test)]
mod checker;
#[cfg(test)]
mod make;
#[cfg(test)]
mod oracle;
