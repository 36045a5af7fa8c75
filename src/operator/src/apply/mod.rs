//! The only writer of children.

pub mod difference;
