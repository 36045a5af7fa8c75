//! The one account of bytes that telemetry may take in this process (design, Admission). A permit
//! is taken before bytes are kept and lives as long as they do. Pure counting: no clock, no waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use obspipe_model::Signal;

/// How many times what it leaves free a single peer may hold. One alone can have four fifths of
/// the account; with many, each has the same, and a newcomer always finds room (dynamic thresholds,
/// Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998).
const PEER_SHARE: usize = 4;

/// All bytes of telemetry held in this process.
#[derive(Debug)]
pub struct Account {
    used: AtomicUsize,
    /// Most bytes, for each signal.
    limits: [AtomicUsize; 3],
    refused: AtomicU64,
}

/// Who sends: one connection.
#[derive(Debug, Default)]
pub struct Peer {
    held: AtomicUsize,
}

/// There is no room now; there will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("memory is short: {used} of {limit} bytes are in use")]
pub struct Full {
    /// Bytes in use.
    pub used: usize,
    /// Most bytes.
    pub limit: usize,
}

fn slot(signal: Signal) -> usize {
    match signal {
        Signal::Traces => 0,
        Signal::Metrics => 1,
        Signal::Logs => 2,
    }
}

impl Account {
    /// An account of so many bytes for every signal.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        let limits = [limit, limit, limit].map(AtomicUsize::new);
        Arc::new(Self { used: AtomicUsize::new(0), limits, refused: AtomicU64::new(0) })
    }

    /// Sets the limit of a signal.
    pub fn limit(&self, signal: Signal, bytes: usize) {
        self.limits[slot(signal)].store(bytes, Relaxed);
    }

    /// The limit of a signal.
    #[must_use]
    pub fn limit_of(&self, signal: Signal) -> usize {
        self.limits[slot(signal)].load(Relaxed)
    }

    /// Bytes in use.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    /// How often there was no room.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// Whether so many bytes would be let in now. Takes nothing.
    ///
    /// # Errors
    /// They would not.
    pub fn room(&self, signal: Signal, peer: &Peer, bytes: usize) -> Result<(), Full> {
        let (used, limit) = (self.used(), self.limit_of(signal));
        match fits(limit, used, peer, bytes) {
            true => Ok(()),
            false => Err(self.full(used, limit)),
        }
    }

    /// Takes bytes if there is room, in one step: of two at once only one gets the last of it.
    fn take(&self, signal: Signal, peer: &Peer, bytes: usize) -> Result<(), Full> {
        let limit = self.limit_of(signal);
        let more = |used: usize| fits(limit, used, peer, bytes).then(|| used + bytes);
        let taken = self.used.fetch_update(Relaxed, Relaxed, more);
        taken.map_err(|used| self.full(used, limit))?;
        peer.held.fetch_add(bytes, Relaxed);
        Ok(())
    }

    fn full(&self, used: usize, limit: usize) -> Full {
        self.refused.fetch_add(1, Relaxed);
        Full { used, limit }
    }

    /// An empty permit, to be grown.
    #[must_use]
    pub fn permit(self: &Arc<Self>, signal: Signal, peer: &Arc<Peer>) -> Permit {
        Permit { account: self.clone(), peer: peer.clone(), signal, bytes: 0 }
    }

    /// Takes bytes whatever the limit: for state that is there anyway.
    #[must_use]
    pub fn charge(self: &Arc<Self>, bytes: usize) -> Permit {
        let mut permit = self.permit(Signal::Traces, &Arc::default());
        permit.set(bytes);
        permit
    }
}

fn fits(limit: usize, used: usize, peer: &Peer, bytes: usize) -> bool {
    let Some(left) = limit.checked_sub(used).and_then(|free| free.checked_sub(bytes)) else {
        return false;
    };
    let held = peer.held.load(Relaxed).saturating_add(bytes);
    held <= left.saturating_mul(PEER_SHARE)
}

/// The right to hold bytes; given back when dropped.
#[derive(Debug)]
pub struct Permit {
    account: Arc<Account>,
    peer: Arc<Peer>,
    signal: Signal,
    bytes: usize,
}

impl Permit {
    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes more bytes.
    ///
    /// # Errors
    /// There is no room; the permit is as before.
    pub fn grow(&mut self, more: usize) -> Result<(), Full> {
        self.account.take(self.signal, &self.peer, more)?;
        self.bytes += more;
        Ok(())
    }

    /// Holds so many bytes from now on, whatever the limit.
    pub fn set(&mut self, bytes: usize) {
        if bytes >= self.bytes {
            self.account.used.fetch_add(bytes - self.bytes, Relaxed);
            self.peer.held.fetch_add(bytes - self.bytes, Relaxed);
        } else {
            self.account.used.fetch_sub(self.bytes - bytes, Relaxed);
            self.peer.held.fetch_sub(self.bytes - bytes, Relaxed);
        }
        self.bytes = bytes;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests;
