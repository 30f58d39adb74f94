use super::{exceeded::Exceeded, refill::Refill, rule::Rule};
use crate::domain::Moment;

/// A token bucket: when it is full again. What lies in the past is a full bucket.
///
/// One number that only grows, so a clock that goes back gives nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bucket {
    pub(super) full_at: Moment,
}

impl Bucket {
    /// `used` tokens are missing.
    pub(super) fn with(used: u32, rule: &Rule, now: Moment) -> Self {
        let Refill { interval, capacity } = rule.refill();
        let missing = interval.saturating_mul(used.into()).min(capacity);
        Self { full_at: Moment::from_nanos(now.as_nanos().saturating_add(missing)) }
    }

    pub(super) fn check(self, rule: &Rule, cost: u32, now: Moment) -> Result<(), Exceeded> {
        rule.refill().take(self.full_at, cost, now).map(drop)
    }

    /// Takes what [`Bucket::check`] found.
    pub(super) fn add(&mut self, rule: &Rule, cost: u32, now: Moment) {
        self.full_at = rule.refill().take(self.full_at, cost, now).unwrap_or(self.full_at);
    }

    pub(super) fn give_back(&mut self, rule: &Rule, cost: u32) {
        let full_at = self.full_at.as_nanos().saturating_sub(rule.interval.saturating_mul(cost.into()));
        self.full_at = Moment::from_nanos(full_at);
    }

    pub(super) fn used(self, rule: &Rule, now: Moment) -> u32 {
        let missing = self.full_at.since(now).as_nanos().div_ceil(u128::from(rule.interval.max(1)));
        u32::try_from(missing).unwrap_or(u32::MAX).min(rule.most)
    }

    pub(super) fn is_half_used(self, rule: &Rule, now: Moment) -> bool {
        let missing = self.full_at.as_nanos().saturating_sub(now.as_nanos());
        missing >= rule.interval.saturating_mul(rule.half().into())
    }
}
