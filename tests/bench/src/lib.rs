//! Measures the operator and collectors as black boxes: what goes in, what comes out, and what the
//! process in between took for it. It knows no collector's insides; a collector is a program, its
//! configuration and its ports.

pub mod config;
pub mod figure;
pub mod load;
pub mod machine;
pub mod measure;
pub mod page;
pub mod payload;
pub mod peers;
pub mod report;
pub mod scenario;
pub mod section;
pub mod sink;
pub mod stats;
pub mod subject;
pub mod wire;
