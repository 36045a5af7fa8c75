//! The exporter around the store: takes loads, shows the page, forgets what has expired. The only
//! file here with a clock. The store is locked for a moment at a time, however much it holds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::stream::unfold;
use http::StatusCode;
use obspipe_model::Signal;
use obspipe_model::components::prometheus::Prometheus as Settings;
use tokio::task::yield_now;
use tokio::time::Instant;

use super::format::negotiate;
use super::page::Page;
use super::point::Nanos;
use super::store::Store;
use crate::flow::account::{Account, Permit};
use crate::flow::chunk::Load;
use crate::flow::ledger::Reason;
use crate::flow::leg::Consume;
use crate::net::body::Pieces;
use crate::service::page::{Pages, Showing, Shown};

/// How often what has expired is forgotten, at most, in nanoseconds.
const EXPIRE_EVERY: Nanos = 10_000_000_000;

/// Shows metrics to Prometheus.
pub struct Prometheus {
    open_metrics: Option<bool>,
    /// What times are counted from: an adjusted clock must expire nothing.
    begun: Instant,
    state: Arc<Mutex<State>>,
}

struct State {
    store: Store,
    /// The store's bytes in the account.
    permit: Permit,
    dropped: BTreeMap<&'static str, u64>,
    /// When what has expired was last looked for, from the first series on.
    expired: Nanos,
    /// The series with which that goes on.
    expiring: Option<u32>,
}

impl Prometheus {
    /// An exporter without series; what it will hold is charged to the account.
    #[must_use]
    pub fn new(settings: &Settings, account: &Arc<Account>) -> Self {
        let state = State {
            store: Store::new(settings),
            permit: account.charge(0),
            dropped: BTreeMap::new(),
            expired: 0,
            expiring: None,
        };
        let open_metrics = settings.enable_open_metrics;
        Self { open_metrics, begun: Instant::now(), state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn now(&self) -> Nanos {
        Nanos::try_from(self.begun.elapsed().as_nanos()).unwrap_or(Nanos::MAX)
    }

    /// The page, made as it is read; the store is free between its parts.
    async fn shown(&self, accept: Option<&str>) -> Shown {
        let (how, now) = (negotiate(accept, self.open_metrics), self.now());
        while self.state().forget(now) {
            yield_now().await;
        }
        let page = Page::new(&self.state().store, how, now);
        let parts = unfold((page, self.state.clone()), |(mut page, state)| async {
            yield_now().await;
            let part = page.part(&lock(&state).store)?;
            Some((Bytes::from(part), (page, state)))
        });
        let body = Pieces::made(parts);
        Shown { status: StatusCode::OK, content_type: how.content_type().into(), body }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    /// Forgets some of what has expired, if it is time. Whether there may be more.
    fn forget(&mut self, now: Nanos) -> bool {
        if self.expiring.is_none() && now.saturating_sub(self.expired) >= EXPIRE_EVERY {
            (self.expired, self.expiring) = (now, Some(0));
        }
        let Some(from) = self.expiring else { return false };
        self.expiring = self.store.expire(from, now);
        self.permit.set(self.store.bytes());
        self.expiring.is_some()
    }
}

impl Consume for Prometheus {
    fn consume(&self, _: Signal, load: &Load) -> Vec<(Reason, usize)> {
        let mut state = self.state();
        // Read when nobody else writes: times never go back.
        let now = self.now();
        let mut lost = 0;
        for chunk in &load.chunks {
            let written = state.store.write(&chunk.bytes, now);
            for (reason, points) in written.dropped {
                *state.dropped.entry(reason).or_insert(0) += points;
                lost += usize::try_from(points).unwrap_or(usize::MAX);
            }
        }
        state.forget(now);
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
    fn page<'a>(&'a self, path: &'a str, accept: Option<&'a str>) -> Showing<'a> {
        Box::pin(async move {
            match path {
                "/metrics" => Some(self.shown(accept).await),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests;
