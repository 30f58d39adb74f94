use std::collections::VecDeque;

use super::{exceeded::Exceeded, rule::Rule};
use crate::domain::Moment;

/// What passed in the last period: each call up to a limit of 64, else in slices of a 62nd of the period.
///
/// A slice counts until the period after its last call is over, so nothing ever counts too short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sliding {
    /// Oldest first: at most [`Rule::SLICES`].
    slices: VecDeque<Slice>,
    /// Together.
    used: u32,
    /// When the newest slice began.
    opened: u64,
    /// Whether that slice was given back, so that the next call opens another one.
    is_closed: bool,
    /// The latest time it was ever asked at. A clock that goes back stays there.
    latest: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    /// When its last call passed.
    last: u64,
    cost: u32,
}

impl Sliding {
    pub(super) fn with(used: u32, rule: &Rule, now: Moment) -> Self {
        let mut new = Self::default();
        if used > 0 {
            new.add(rule, used, now);
        }
        new
    }

    pub(super) fn check(&mut self, rule: &Rule, cost: u32, now: Moment) -> Result<(), Exceeded> {
        self.expire(rule, now);
        if cost > rule.most {
            return Err(Exceeded::Always);
        }
        let Some(excess) = (u64::from(self.used) + u64::from(cost)).checked_sub(u64::from(rule.most) + 1) else {
            return Ok(());
        };
        // The slices that must go, oldest first, until there is room.
        let mut gone = 0;
        for slice in &self.slices {
            gone += u64::from(slice.cost);
            if gone > excess {
                return Err(Exceeded::Until(Moment::from_nanos(slice.last.saturating_add(rule.per))));
            }
        }
        Err(Exceeded::Always)
    }

    /// Adds what [`Sliding::check`] found room for.
    pub(super) fn add(&mut self, rule: &Rule, cost: u32, now: Moment) {
        let now = now.as_nanos().max(self.latest);
        self.latest = now;
        self.used = self.used.saturating_add(cost);
        let end = self.end(rule);
        match self.slices.back_mut().filter(|it| now == it.last || now < end) {
            Some(newest) => {
                newest.last = newest.last.max(now);
                newest.cost = newest.cost.saturating_add(cost);
            }
            None => {
                (self.opened, self.is_closed) = (now, false);
                self.slices.push_back(Slice { last: now, cost });
            }
        }
    }

    pub(super) fn used(&self, rule: &Rule, now: Moment) -> u32 {
        let now = now.as_nanos().max(self.latest);
        let over = self.slices.iter().take_while(|it| it.last.saturating_add(rule.per) <= now);
        self.used.saturating_sub(over.map(|it| it.cost).sum())
    }

    pub(super) fn over_at(&self, rule: &Rule) -> Moment {
        let last = self.slices.back().map_or(0, |it| it.last.saturating_add(rule.per));
        Moment::from_nanos(last)
    }

    /// The latest first: what is left counts no longer than it did.
    pub(super) fn give_back(&mut self, cost: u32) {
        let mut left = cost.min(self.used);
        self.used -= left;
        while let Some(newest) = self.slices.back_mut().filter(|_| left > 0) {
            let of_slice = left.min(newest.cost);
            (newest.cost, left) = (newest.cost - of_slice, left - of_slice);
            if newest.cost == 0 {
                self.slices.pop_back();
                // What is the newest now ended before: a call that came into it would make it count longer.
                self.is_closed = true;
            }
        }
    }

    pub(super) fn is_half_used(&self, rule: &Rule) -> bool {
        self.used >= rule.half()
    }

    /// Until when how much can be taken without asking, if [`Sliding::leased`] tells afterwards how much it was.
    pub(super) fn lease(&self, rule: &Rule, now: Moment) -> Option<(Moment, u32)> {
        let end = self.end(rule);
        let is_open = !self.slices.is_empty() && now.as_nanos().max(self.latest) < end;
        is_open.then(|| (Moment::from_nanos(end), rule.most.saturating_sub(self.used)))
    }

    /// So much of a lease until `until` was taken.
    pub(super) fn leased(&mut self, cost: u32, until: Moment) {
        if let Some(newest) = self.slices.back_mut() {
            // Nobody knows when in that time.
            newest.last = newest.last.max(until.as_nanos());
            newest.cost = newest.cost.saturating_add(cost);
            self.used = self.used.saturating_add(cost);
        }
    }

    /// When the newest slice takes no more calls.
    fn end(&self, rule: &Rule) -> u64 {
        if self.is_closed { 0 } else { self.opened.saturating_add(rule.slice()) }
    }

    fn expire(&mut self, rule: &Rule, now: Moment) {
        self.latest = self.latest.max(now.as_nanos());
        while let Some(oldest) = self.slices.front().filter(|it| it.last.saturating_add(rule.per) <= self.latest) {
            self.used = self.used.saturating_sub(oldest.cost);
            self.slices.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const RULE: Rule = Rule { most: 100, per: 60 * SECOND, interval: SECOND };

    fn at(tenths: u64) -> Moment {
        Moment::from_nanos(tenths * SECOND / 10)
    }

    #[test]
    fn what_is_given_back_makes_nothing_count_longer() {
        let mut window = Sliding::with(80, &RULE, at(0));
        window.add(&RULE, 1, at(500));
        window.give_back(1);
        assert_eq!(window.lease(&RULE, at(500)), None, "what is left ended long ago");
        window.add(&RULE, 1, at(505));
        assert_eq!(window.used(&RULE, at(599)), 81);
        assert_eq!(window.used(&RULE, at(600)), 1, "the 80 are over");
        assert_eq!(window.used(&RULE, at(1_105)), 0);
    }

    #[test]
    fn a_slice_that_is_given_back_in_part_stays_open() {
        let mut window = Sliding::with(2, &RULE, at(0));
        window.give_back(1);
        assert!(window.lease(&RULE, at(1)).is_some());
        window.add(&RULE, 1, at(5));
        assert_eq!(window.slices.len(), 1);
        window.give_back(2);
        window.add(&RULE, 1, at(5));
        window.add(&RULE, 1, at(6));
        assert_eq!(window.slices.len(), 1, "the next one is open again");
    }
}
