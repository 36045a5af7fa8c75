//! The exporter around the store: takes loads, shows the page, forgets what has expired. The only
//! file here with a clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::StatusCode;
use obspipe_model::Signal;
use obspipe_model::components::prometheus::Prometheus as Settings;

use super::format::negotiate;
use super::point::Nanos;
use super::store::Store;
use crate::flow::account::{Account, Permit};
use crate::flow::chunk::Load;
use crate::flow::ledger::Reason;
use crate::flow::leg::Consume;
use crate::service::page::{Pages, Shown};

/// Pieces in which the page is written.
const PIECE: usize = 64 * 1024;
/// How often what has expired is forgotten, at most, in nanoseconds.
const EXPIRE_EVERY: Nanos = 10_000_000_000;

/// Shows metrics to Prometheus.
pub struct Prometheus {
    open_metrics: Option<bool>,
    state: Mutex<State>,
}

struct State {
    store: Store,
    /// The store's bytes in the account.
    permit: Permit,
    dropped: BTreeMap<&'static str, u64>,
    expired: Nanos,
}

impl Prometheus {
    /// An exporter without series; what it will hold is charged to the account.
    #[must_use]
    pub fn new(settings: &Settings, account: &Arc<Account>) -> Self {
        let state = State {
            store: Store::new(settings),
            permit: account.charge(0),
            dropped: BTreeMap::new(),
            expired: now(),
        };
        Self { open_metrics: settings.enable_open_metrics, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> Nanos {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Nanos::try_from(now.as_nanos()).unwrap_or(Nanos::MAX)
}

impl Consume for Prometheus {
    fn consume(&self, _: Signal, load: &Load) -> Vec<(Reason, usize)> {
        let now = now();
        let mut state = self.state();
        let mut lost = 0;
        for chunk in &load.chunks {
            let written = state.store.write(&chunk.bytes, now);
            for (reason, points) in written.dropped {
                *state.dropped.entry(reason).or_insert(0) += points;
                lost += usize::try_from(points).unwrap_or(usize::MAX);
            }
        }
        if now.saturating_sub(state.expired) >= EXPIRE_EVERY {
            state.store.expire(now);
            state.expired = now;
        }
        let held = state.store.bytes();
        state.permit.set(held);
        if lost > 0 { vec![(Reason::Untranslatable, lost)] } else { Vec::new() }
    }

    fn figures(&self) -> BTreeMap<String, u64> {
        let state = self.state();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let mut figures = BTreeMap::from([
            ("series".to_owned(), count(state.store.series())),
            ("shared_identities".to_owned(), count(state.store.shared_identities())),
        ]);
        let dropped = state.dropped.iter();
        figures.extend(dropped.map(|(reason, points)| (format!("dropped_{reason}"), *points)));
        figures
    }
}

impl Pages for Prometheus {
    fn page(&self, path: &str, accept: Option<&str>) -> Option<Shown> {
        if path != "/metrics" {
            return None;
        }
        let how = negotiate(accept, self.open_metrics);
        let (mut body, mut piece) = (Vec::new(), Vec::with_capacity(PIECE));
        self.state().store.page(how, now(), &mut |text| {
            piece.extend_from_slice(text);
            if piece.len() >= PIECE {
                body.push(Bytes::from(std::mem::replace(&mut piece, Vec::with_capacity(PIECE))));
            }
        });
        body.push(Bytes::from(piece));
        Some(Shown { status: StatusCode::OK, content_type: how.content_type().into(), body })
    }
}
