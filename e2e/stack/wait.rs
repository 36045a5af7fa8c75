//! Waiting for what comes about by itself: looked at again at short intervals, up to a deadline.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// How long a pod may take to be ready, or telemetry to arrive, on a loaded machine of two cores.
pub const WITHIN: Duration = Duration::from_secs(180);

/// Every look is a request to the API server by a process of its own.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Looks until it is there. `Err` of `look` says what is there instead.
///
/// # Errors
/// It was not there in that time.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(last) if Instant::now() >= deadline => {
                return Err(Error::Late { what: what.to_owned(), within, last });
            }
            Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}
