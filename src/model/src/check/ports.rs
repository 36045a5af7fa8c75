//! Which listeners cannot be bound at the same time. One look at each listener, however many share
//! a port.

use std::collections::HashMap;

use crate::checked::{Listener, addresses};

/// What is bound already, by port.
#[derive(Default)]
pub(super) struct Bound(HashMap<u16, Port>);

/// The first listeners of a port, as indices in the order bound.
#[derive(Default)]
struct Port {
    any: Option<usize>,
    everywhere: Option<usize>,
    by_address: HashMap<String, usize>,
}

impl Bound {
    /// Binds one; gives the first of those bound before that it conflicts with.
    pub(super) fn bind(&mut self, index: usize, listener: &Listener) -> Option<usize> {
        // Port 0 is whichever is free.
        if listener.port == 0 {
            return None;
        }
        let port = self.0.entry(listener.port).or_default();
        let conflict = match addresses(&listener.host) {
            None => {
                let conflict = port.any;
                port.everywhere.get_or_insert(index);
                conflict
            }
            Some(addresses) => {
                let same = addresses.iter().filter_map(|address| port.by_address.get(address));
                let conflict = same.chain(&port.everywhere).min().copied();
                for address in addresses {
                    port.by_address.entry(address).or_insert(index);
                }
                conflict
            }
        };
        port.any.get_or_insert(index);
        conflict
    }
}

#[cfg(test)]
mod tests;
