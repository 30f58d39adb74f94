//! When a failed task runs again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often, and after what delay, a failed task runs again: exponential backoff with full jitter.
///
/// The delay before attempt n + 1 is drawn evenly from zero to `delay × backoffⁿ⁻¹`, at most `max_delay`. Full jitter
/// spreads the retries of many tasks that failed together ("Exponential Backoff And Jitter", M. Brooker, 2015).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Retry {
    /// How often the body runs at most, the first run counted. Default 1: no retry.
    pub max_attempts: u32,
    /// The upper bound of the delay before the second attempt. Default 1 s.
    pub delay: Duration,
    /// By what the bound grows with each attempt. Default 2.
    pub backoff: f64,
    /// What the bound never exceeds. Default 1 h.
    pub max_delay: Duration,
    /// Whether the delay is drawn from zero to its bound (`true`, the default), or is the bound itself.
    pub jitter: bool,
}

impl Retry {
    /// No retry: one attempt.
    pub const NONE: Self = Self {
        max_attempts: 1,
        delay: Duration::from_secs(1),
        backoff: 2.0,
        max_delay: Duration::from_secs(3_600),
        jitter: true,
    };

    /// At most `max_attempts` attempts, the rest as [`Retry::NONE`].
    #[must_use]
    pub const fn attempts(max_attempts: u32) -> Self {
        Self { max_attempts, ..Self::NONE }
    }

    /// With this bound of the delay before the second attempt.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// With this growth of the bound.
    #[must_use]
    pub const fn backoff(mut self, factor: f64) -> Self {
        self.backoff = factor;
        self
    }

    /// With this largest bound.
    #[must_use]
    pub const fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// With jitter or without.
    #[must_use]
    pub const fn jitter(mut self, jitter: bool) -> Self {
        self.jitter = jitter;
        self
    }

    /// Whether another attempt may follow the one numbered `attempt`, counted from 1.
    #[must_use]
    pub const fn allows_after(&self, attempt: u32) -> bool {
        attempt < self.max_attempts
    }

    /// The delay after attempt number `attempt` failed; `random` is in 0.0..1.0.
    #[must_use]
    pub fn delay_after(&self, attempt: u32, random: f64) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let bound = (self.delay.as_secs_f64() * self.backoff.powi(exponent)).min(self.max_delay.as_secs_f64());
        let drawn = if self.jitter { bound * random } else { bound };
        Duration::try_from_secs_f64(drawn).unwrap_or(self.max_delay)
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self::NONE
    }
}
