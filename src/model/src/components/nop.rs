//! The nop exporter (otelcol exporter/nopexporter).

use crate::settings::settings;

settings! {
    /// Takes everything and does nothing.
    pub struct Nop {
    }
}
