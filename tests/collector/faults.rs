//! Backends that fail in every way, and what becomes of what was acknowledged meanwhile.

mod backend;
mod dead;
mod ending;
mod first;
mod full;
mod large;
mod lasting;
mod passing;
mod poisoned;
mod run;
