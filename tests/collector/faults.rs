//! Backends that fail in every way, and what becomes of what was acknowledged meanwhile.

mod backend;
mod first;
mod full;
mod lasting;
mod passing;
mod poisoned;
mod run;
