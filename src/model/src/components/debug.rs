//! The debug exporter (otelcol exporter/debugexporter).

use crate::settings::{choice, settings};

settings! {
    /// Writes what it gets to the log.
    pub struct Debug {
        /// How much is written.
        verbosity: Verbosity = Verbosity::Basic,
        /// Messages written at first in each second.
        sampling_initial: u32 = 2,
        /// After those, one of so many.
        sampling_thereafter: u32 = 1,
        /// Write through the collector's own logger.
        use_internal_logger: bool = true,
        /// Where to write when not through the logger.
        output_paths: Vec<String> = vec!["stdout".into()],
    }
}

choice! {
    /// How much is written.
    pub enum Verbosity {
        /// Counts
        Basic = "basic",
        /// A line an item
        Normal = "normal",
        /// Everything
        Detailed = "detailed",
    }
}
