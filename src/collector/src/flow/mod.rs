//! How telemetry moves: admitted, carried, batched, queued and sent, with every byte and every item
//! accounted for. Knows no protocol and no component by name.

pub mod account;
pub mod admit;
pub mod chunk;
pub mod ledger;
pub mod leg;
pub mod queue;
pub mod receipt;
pub mod retry;
pub mod scope;
pub mod send;
pub mod stage;
