//! Backends that fail in every way.
