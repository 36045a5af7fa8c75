//! What counts as a difference between a desired and a live object.
