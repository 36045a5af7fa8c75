//! Backends that fail in every way, and what becomes of what was acknowledged meanwhile.

mod backend;
mod dead;
mod ending;
mod full;
mod headless;
mod large;
mod lasting;
mod passing;
mod pipelines;
mod poisoned;
mod run;
mod tenants;
mod waiting;
