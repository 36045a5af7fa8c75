//! The search for what a backend does not take: whether a request that it refused is looked
//! through. Knows nothing of how requests are halved and sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::{Request, Source};

/// How far a search may go on. Between clients' requests it goes to the end: one
/// client's mistake costs no other anything. Within one client's request it stops after as many
/// refusals as find a handful of bad items, and within all of them after those of some clients: a
/// backend that refuses everything is not asked for each item.
#[derive(Clone, Default)]
pub(super) struct Search {
    /// Refusals left within all clients' requests.
    all: Option<Arc<AtomicU32>>,
    /// Those left within the one that is looked through.
    one: Option<Arc<AtomicU32>>,
}

impl Search {
    /// Bad items among n that are found one by one, each with log2(n) refusals.
    const BAD_ITEMS: u32 = 8;
    /// The same of all clients together.
    const ALL_BAD_ITEMS: u32 = 4 * Self::BAD_ITEMS;

    /// The search within a request just refused; None where it has gone on for long enough.
    pub(super) fn within(self, request: &Request) -> Option<Self> {
        let refusals =
            |bad: u32| Arc::new(AtomicU32::new(bad * (request.items.max(2).ilog2() + 1)));
        let all = self.all.unwrap_or_else(|| refusals(Self::ALL_BAD_ITEMS));
        let of_many = match &request.source {
            Source::Chunks(chunks) => chunks.len() > 1,
            Source::Translated { joints, .. } => !joints.is_empty(),
        };
        if of_many {
            return Some(Self { all: Some(all), one: None });
        }
        let one = self.one.unwrap_or_else(|| refusals(Self::BAD_ITEMS));
        let take = |left: &AtomicU32| {
            left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok()
        };
        (take(&one) && take(&all)).then_some(Self { all: Some(all), one: Some(one) })
    }
}
