//! More than it can carry.
