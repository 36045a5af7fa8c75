//! One look finds what comparing each with all before it would.

use proptest::prelude::*;

use super::*;
use crate::ListenerKind;

fn listener((host, port): (&str, u16)) -> Listener {
    Listener {
        path: String::new(),
        name: String::new(),
        host: host.to_owned(),
        port,
        kind: ListenerKind::SelfMetrics,
        tls: false,
    }
}

proptest! {
    #[test]
    fn the_first_conflict_is_found(sockets in prop::collection::vec((
        prop::sample::select(vec!["", "0.0.0.0", "::", "localhost", "127.0.0.1", "::1", "10.0.0.1", "a.example"]),
        0u16..4,
    ), 0..12)) {
        let listeners: Vec<Listener> = sockets.into_iter().map(listener).collect();
        let mut bound = Bound::default();
        for (index, listener) in listeners.iter().enumerate() {
            let compared = listeners[..index].iter().position(|other| other.conflicts_with(listener));
            prop_assert_eq!(bound.bind(index, listener), compared);
        }
    }
}
