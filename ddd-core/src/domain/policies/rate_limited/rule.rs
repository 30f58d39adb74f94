use super::{more_limits::Limit, refill::Refill, strategy::Strategy};
use crate::domain::duration::nanos;

/// One limit as the arithmetic wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// How much passes in one period; of a bucket, how much fits into it.
    pub(super) most: u32,
    /// The period, in nanoseconds.
    pub(super) per: u64,
    /// The time that refills one token of a bucket, in nanoseconds, rounded up so that the rate is never above the limit's.
    pub(super) interval: u64,
}

impl Rule {
    /// Up to so many calls are remembered one by one; of a higher limit, at most so many slices.
    pub(super) const SLICES: u32 = 64;
    /// Into so many slices a period is cut: two more can lie in it in part.
    const CUTS: u64 = Self::SLICES as u64 - 2;

    pub(super) fn new(limit: Limit, strategy: Strategy, burst: Option<u32>) -> Self {
        let per = nanos(limit.per).max(1);
        let interval = per.div_ceil(u64::from(limit.limit.max(1)));
        let most = match strategy {
            Strategy::TokenBucket if limit.limit > 0 => burst.unwrap_or(limit.limit),
            _ => limit.limit,
        };
        Self { most, per, interval }
    }

    pub(super) fn refill(&self) -> Refill {
        Refill { interval: self.interval, capacity: self.interval.saturating_mul(self.most.into()) }
    }

    /// Half of it, rounded up.
    pub(super) const fn half(&self) -> u32 {
        self.most.div_ceil(2)
    }

    /// How long a slice of a sliding window lasts; zero if each call is remembered.
    pub(super) fn slice(&self) -> u64 {
        if self.most > Self::SLICES { self.per / Self::CUTS } else { 0 }
    }
}
