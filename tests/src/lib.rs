//! The integration tests are in `integration/`; this crate has no library of its own.
