//! Cutting a request into requests of at most so many items and bytes, without copying items.
