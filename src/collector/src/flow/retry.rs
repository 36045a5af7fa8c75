//! When what failed is sent again (exporterhelper, retry_on_failure). Pure: time and chance are
//! handed in.

use std::time::{Duration, Instant};

use obspipe_model::components::network::Retry;

/// The waits of one request.
#[derive(Clone, Debug)]
pub struct Backoff<'a> {
    settings: &'a Retry,
    began: Instant,
    interval: Duration,
}

impl<'a> Backoff<'a> {
    /// For a request that is sent for the first time now.
    #[must_use]
    pub fn new(settings: &'a Retry, now: Instant) -> Self {
        Self { settings, began: now, interval: settings.initial_interval }
    }

    /// How long to wait before the next try; None to give up. `after` is what the backend asked
    /// for; `chance` is from 0 to 1.
    pub fn next(&mut self, now: Instant, after: Option<Duration>, chance: f64) -> Option<Duration> {
        if !self.settings.enabled {
            return None;
        }
        // interval * (1 - f) to interval * (1 + f)
        let factor = self.settings.randomization_factor;
        let spread = 1.0 - factor + 2.0 * factor * chance.clamp(0.0, 1.0);
        let wait = self.interval.mul_f64(spread.max(0.0)).max(after.unwrap_or_default());
        let longer = self.interval.as_secs_f64() * self.settings.multiplier;
        let longer = Duration::try_from_secs_f64(longer).unwrap_or(self.settings.max_interval);
        self.interval = longer.min(self.settings.max_interval);
        let elapsed = now.saturating_duration_since(self.began);
        let limit = self.settings.max_elapsed_time;
        (limit.is_zero() || elapsed + wait <= limit).then_some(wait)
    }
}

#[cfg(test)]
mod tests;
