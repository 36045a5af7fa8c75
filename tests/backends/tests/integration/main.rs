//! Tests of the backends: `capture` and `process` take a second; `real` runs the programs,
//! which the first time takes as long as their builds.

#[cfg(test)]
mod capture;
#[cfg(test)]
mod process;
#[cfg(test)]
mod real;
