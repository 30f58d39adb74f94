//! Random settings, random arrivals, and what the settings promise of them.

use std::time::Duration;

use ddd_core::{
    __private::policies::{RateLimitedCell, Strategy},
    Refused, RefusedKind,
    ports::Policy,
};
use serde_json::json;

use crate::support::{Clock, settings};

/// So many limits, each in nanoseconds and calls.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    pub(crate) strategy: Strategy,
    /// The limit and the period of each.
    pub(crate) limits: Vec<(u64, u64)>,
    pub(crate) burst: Option<u64>,
}

/// A call that passed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passed {
    pub(crate) at: u64,
    pub(crate) cost: u64,
}

impl Promise {
    /// Some limits: small ones, which remember each call, and large ones, which remember slices.
    pub(crate) fn random(strategy: Strategy, random: &mut fastrand::Rng) -> Self {
        let mut limit = || {
            let most = if random.bool() { 1 + random.u64(..64) } else { 65 + random.u64(..1_000) };
            (most, 1_000_000 * (1 + random.u64(..10_000)))
        };
        let limits: Vec<_> = (0..fastrand::Rng::with_seed(limit().0).usize(1..=3)).map(|_| limit()).collect();
        let burst = (strategy == Strategy::TokenBucket && random.bool()).then(|| 1 + random.u64(..100));
        Self { strategy, limits, burst }
    }

    /// Gives the cell these settings.
    pub(crate) fn apply(&self, cell: &'static RateLimitedCell) {
        let limits: Vec<_> =
            self.limits.iter().map(|(limit, per)| json!({"limit": limit, "per": format!("{per}ns")})).collect();
        let change = settings(json!({
            "strategy": self.strategy,
            "limit": limits[0]["limit"],
            "per": limits[0]["per"],
            "burst": self.burst,
            "and": limits[1..],
        }));
        cell.change(&change).unwrap();
    }

    /// The most that one call can cost.
    pub(crate) fn most(&self) -> u64 {
        let first = self.burst.unwrap_or(self.limits[0].0);
        self.limits[1..].iter().map(|it| it.0).fold(first, u64::min)
    }

    /// Panics if more passed than the strategy promises, in any window.
    pub(crate) fn check(&self, passed: &[Passed]) {
        for (number, (limit, per)) in self.limits.iter().copied().enumerate() {
            match self.strategy {
                Strategy::SlidingWindow => check_windows(passed, limit, per),
                Strategy::TokenBucket => {
                    let burst = if number == 0 { self.burst.unwrap_or(limit) } else { limit };
                    check_bucket(passed, limit, per, burst);
                }
                _ => check_pieces(passed, limit, per),
            }
        }
    }

    /// Whether a call must pass: there is room even if each earlier one counts as long as it ever may.
    pub(crate) fn must_pass(&self, passed: &[Passed], now: u64, cost: u64) -> bool {
        self.limits.iter().enumerate().all(|(number, &(limit, per))| match self.strategy {
            Strategy::SlidingWindow => {
                let counts = if limit > 64 { per + per / 62 } else { per };
                let recent = passed.iter().rev().take_while(|it| it.at + counts > now);
                recent.map(|it| it.cost).sum::<u64>() + cost <= limit
            }
            Strategy::TokenBucket => {
                let burst = if number == 0 { self.burst.unwrap_or(limit) } else { limit };
                let interval = per.div_ceil(limit);
                let full_at = passed.iter().fold(0, |it: u64, call| it.max(call.at) + call.cost * interval);
                full_at.max(now) + cost * interval <= now + burst * interval
            }
            _ => {
                let piece = passed.iter().rev().take_while(|it| it.at / per == now / per);
                piece.map(|it| it.cost).sum::<u64>() + cost <= limit
            }
        })
    }
}

fn check_windows(passed: &[Passed], limit: u64, per: u64) {
    let (mut end, mut sum) = (0, 0);
    for (begin, first) in passed.iter().enumerate() {
        while end < passed.len() && passed[end].at < first.at + per {
            sum += passed[end].cost;
            end += 1;
        }
        assert!(sum <= limit, "{sum} of {limit} in {per} ns from call {begin} on");
        sum -= first.cost;
    }
}

fn check_bucket(passed: &[Passed], limit: u64, per: u64, burst: u64) {
    // What passed in any span is at most the burst and what the rate gives: the level never is below zero.
    let (mut level, mut last) = (u128::from(burst) * u128::from(per), 0);
    for (number, call) in passed.iter().enumerate() {
        let refilled = u128::from(call.at - last) * u128::from(limit);
        level = (level + refilled).min(u128::from(burst) * u128::from(per));
        last = call.at;
        let cost = u128::from(call.cost) * u128::from(per);
        level = level.checked_sub(cost).unwrap_or_else(|| panic!("call {number} passed with an empty bucket"));
    }
}

fn check_pieces(passed: &[Passed], limit: u64, per: u64) {
    let mut pieces = std::collections::BTreeMap::new();
    for call in passed {
        *pieces.entry(call.at / per).or_insert(0) += call.cost;
    }
    assert!(pieces.values().all(|it| *it <= limit), "more than {limit} in a piece: {pieces:?}");
}

/// Calls of one key, at times that chance picks, until so many came.
pub(crate) struct Arrivals<'a> {
    pub(crate) cell: &'static RateLimitedCell,
    pub(crate) promise: &'a Promise,
    pub(crate) clock: &'a Clock,
    pub(crate) key: Option<u64>,
}

impl Arrivals<'_> {
    pub(crate) fn call(&self, cost: u64) -> Result<(), Refused> {
        let cost = u32::try_from(cost).unwrap();
        match self.key {
            Some(key) => self.cell.try_admit(key, cost),
            None => self.cell.try_admit((), cost),
        }
    }

    /// Makes so many calls, and checks all that is promised of them.
    pub(crate) fn run(&self, calls: usize, random: &mut fastrand::Rng) {
        let mut passed = Vec::new();
        let (_, per) = self.promise.limits[random.usize(..self.promise.limits.len())];
        let mean = per / (1 + random.u64(..200)) + 1;
        while passed.len() < calls {
            match random.u8(..10) {
                // Several at the same moment.
                0..=3 => {}
                9 => self.clock.advance(Duration::from_nanos(random.u64(..2 * per))),
                _ => self.clock.advance(Duration::from_nanos(random.u64(..2 * mean))),
            }
            let cost = if random.u8(..4) > 0 { 1 } else { 1 + random.u64(..self.promise.most()) };
            let now = self.clock.now().as_nanos();
            match self.call(cost) {
                Ok(()) => passed.push(Passed { at: now, cost }),
                Err(refused) => {
                    assert_eq!(refused.kind, RefusedKind::RateLimited);
                    assert!(!self.promise.must_pass(&passed, now, cost), "refused with room, at {now}: {refused:?}");
                    if random.bool() {
                        self.retry(cost, refused.retry_after.unwrap());
                        passed.push(Passed { at: self.clock.now().as_nanos(), cost });
                    }
                }
            }
        }
        self.promise.check(&passed);
    }

    /// One nanosecond before it may, the call is refused; then it passes.
    fn retry(&self, cost: u64, after: Duration) {
        assert!(!after.is_zero());
        self.clock.advance(after - Duration::from_nanos(1));
        let refused = self.call(cost).expect_err("it is one nanosecond too early");
        assert_eq!(refused.retry_after, Some(Duration::from_nanos(1)), "after {after:?}");
        self.clock.advance(Duration::from_nanos(1));
        self.call(cost).expect("now there is room");
    }
}
