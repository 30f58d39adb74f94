use super::{bucket::Bucket, exceeded::Exceeded, fixed::Fixed, rule::Rule, sliding::Sliding, strategy::Strategy};
use crate::domain::Moment;

/// What was used of one limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Window {
    Sliding(Sliding),
    Bucket(Bucket),
    Fixed(Fixed),
}

impl Window {
    /// So much was used just now.
    pub(super) fn with(used: u32, strategy: Strategy, rule: &Rule, now: Moment) -> Self {
        match strategy {
            Strategy::SlidingWindow => Self::Sliding(Sliding::with(used, rule, now)),
            Strategy::TokenBucket if used == 0 => Self::Bucket(Bucket::default()),
            Strategy::TokenBucket => Self::Bucket(Bucket::with(used, rule, now)),
            Strategy::FixedWindow => Self::Fixed(Fixed::with(used, rule, now)),
        }
    }

    /// Nothing was used.
    pub(super) fn unused(strategy: Strategy) -> Self {
        match strategy {
            Strategy::SlidingWindow => Self::Sliding(Sliding::default()),
            Strategy::TokenBucket => Self::Bucket(Bucket::default()),
            Strategy::FixedWindow => Self::Fixed(Fixed::default()),
        }
    }

    pub(super) fn check(&mut self, rule: &Rule, cost: u32, now: Moment) -> Result<(), Exceeded> {
        match self {
            Self::Sliding(it) => it.check(rule, cost, now),
            Self::Bucket(it) => it.check(rule, cost, now),
            Self::Fixed(it) => it.check(rule, cost, now),
        }
    }

    pub(super) fn add(&mut self, rule: &Rule, cost: u32, now: Moment) {
        match self {
            Self::Sliding(it) => it.add(rule, cost, now),
            Self::Bucket(it) => it.add(rule, cost, now),
            Self::Fixed(it) => it.add(cost),
        }
    }

    pub(super) fn used(&self, rule: &Rule, now: Moment) -> u32 {
        match self {
            Self::Sliding(it) => it.used(rule, now),
            Self::Bucket(it) => it.used(rule, now),
            Self::Fixed(it) => it.used(rule, now),
        }
    }

    /// When all that was used is over.
    pub(super) fn over_at(&self, rule: &Rule) -> Moment {
        match self {
            Self::Sliding(it) => it.over_at(rule),
            Self::Bucket(it) => it.full_at,
            Self::Fixed(it) => it.over_at(rule),
        }
    }

    /// Gives back what was used and is not over, at most all of it.
    pub(super) fn give_back(&mut self, rule: &Rule, cost: u32) {
        match self {
            Self::Sliding(it) => it.give_back(cost),
            Self::Bucket(it) => it.give_back(rule, cost),
            Self::Fixed(it) => it.give_back(cost),
        }
    }

    /// Without a division: every call with a key asks this.
    pub(super) fn is_half_used(&self, rule: &Rule, now: Moment) -> bool {
        match self {
            Self::Sliding(it) => it.is_half_used(rule),
            Self::Bucket(it) => it.is_half_used(rule, now),
            Self::Fixed(it) => it.is_half_used(rule),
        }
    }

    pub(super) fn lease(&self, rule: &Rule, now: Moment) -> Option<(Moment, u32)> {
        match self {
            Self::Sliding(it) => it.lease(rule, now),
            Self::Bucket(_) => None,
            Self::Fixed(it) => Some(it.lease(rule)),
        }
    }

    pub(super) fn leased(&mut self, cost: u32, until: Moment) {
        match self {
            Self::Sliding(it) => it.leased(cost, until),
            Self::Bucket(_) => {}
            Self::Fixed(it) => it.add(cost),
        }
    }

    /// The same use under another rule: as much as before counts as used, no more than there now is.
    pub(super) fn under(self, before: &Rule, strategy: Strategy, rule: &Rule, now: Moment) -> Self {
        match (&self, strategy) {
            (Self::Sliding(_), Strategy::SlidingWindow) => self,
            (Self::Fixed(_), Strategy::FixedWindow) if before.per == rule.per => self,
            _ => Self::with(self.used(before, now).min(rule.most), strategy, rule, now),
        }
    }
}
