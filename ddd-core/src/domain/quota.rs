//! So many per period: the generic cell rate algorithm.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A limit per period, with room for a burst.
///
/// Decided by the generic cell rate algorithm (ITU-T I.371, the virtual scheduling form): one timestamp of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    limit: u32,
    per: Duration,
    burst: u32,
}

impl Quota {
    /// `limit` per `per`, all of which may come at once. `None` if either is zero.
    #[must_use]
    pub const fn new(limit: u32, per: Duration) -> Option<Self> {
        if limit == 0 || per.is_zero() { None } else { Some(Self { limit, per, burst: limit }) }
    }

    /// With at most `burst` at once (at least 1), instead of the whole limit.
    #[must_use]
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = if burst == 0 { 1 } else { burst };
        self
    }

    /// How many per period.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// The period.
    #[must_use]
    pub const fn per(&self) -> Duration {
        self.per
    }

    fn interval(&self) -> i64 {
        let micros = self.per.as_micros() / u128::from(self.limit);
        i64::try_from(micros).unwrap_or(i64::MAX).max(1)
    }

    /// How many may pass at `now`, at most `wanted`; they are taken. If that is none, also when the next one may.
    pub fn take(&self, state: &mut QuotaState, wanted: u32, now: Timestamp) -> (u32, Option<Timestamp>) {
        let interval = self.interval();
        let tolerance = interval.saturating_mul(i64::from(self.burst));
        let arrival = state.0.as_micros().max(now.as_micros());
        let room = now.as_micros().saturating_add(tolerance).saturating_sub(arrival) / interval;
        let taken = u32::try_from(room.max(0)).unwrap_or(u32::MAX).min(wanted);
        if taken == 0 {
            let next = arrival.saturating_add(interval).saturating_sub(tolerance);
            return (0, Some(Timestamp::from_micros(next)));
        }
        state.0 = Timestamp::from_micros(arrival.saturating_add(interval.saturating_mul(i64::from(taken))));
        (taken, None)
    }

    /// Gives `count` back that were taken and not used.
    pub fn give_back(&self, state: &mut QuotaState, count: u32) {
        let micros = self.interval().saturating_mul(i64::from(count));
        state.0 = Timestamp::from_micros(state.0.as_micros().saturating_sub(micros));
    }
}

/// What a [`Quota`] remembers: the theoretical arrival time of the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaState(Timestamp);

impl QuotaState {
    /// From what [`QuotaState::kept`] gave.
    #[must_use]
    pub const fn of(kept: Timestamp) -> Self {
        Self(kept)
    }

    /// What a store keeps of it.
    #[must_use]
    pub const fn kept(self) -> Timestamp {
        self.0
    }
}
