//! The only room that talks to the API server.

pub mod lease;
pub mod served;
