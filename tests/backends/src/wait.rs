//! Waiting for what arrives by itself: asked again at short intervals, up to a deadline.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// How long the backends' own methods wait. What they wait for takes about a second on an
/// idle machine; a loaded one with two cores has been seen to take ten times that.
pub const WITHIN: Duration = Duration::from_secs(60);

const ASK_EVERY: Duration = Duration::from_millis(100);

/// Asks until `look` has an answer; `Err` of it says what is there instead.
///
/// # Errors
/// It had none within that time.
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
            Err(_) => tokio::time::sleep(ASK_EVERY).await,
        }
    }
}
