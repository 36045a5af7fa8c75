//! The attributes and resource processors: what their actions make of the bytes of a request. Pure.
