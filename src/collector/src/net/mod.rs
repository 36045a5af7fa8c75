//! Sockets: names to addresses, TLS, listening, connecting, HTTP. Knows no telemetry.

pub mod body;
pub mod buffer;
pub mod compress;
pub mod connect;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
pub mod grpc;
mod linger;
pub mod listen;
pub mod resolve;
pub mod serve;
pub mod tls;
