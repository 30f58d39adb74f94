use std::time::Duration;

use super::{
    exceeded::Exceeded, more_limits::Limit, refill::Refill, rule::Rule, settings::RateLimitedSettings,
    state::LimitState, strategy::Strategy, window::Window,
};
use crate::domain::Moment;

/// How a rate limit decides: the limits and the strategy of its settings.
///
/// ```
/// use std::time::Duration;
/// use ddd_core::domain::{Exceeded, LimitPlan, Moment, RateLimitedSettings};
///
/// let plan = LimitPlan::new(&RateLimitedSettings::new().limit(2).per(Duration::from_secs(1)));
/// let mut usage = plan.unused();
/// let at = |seconds| Moment::default().after(Duration::from_secs_f64(seconds));
///
/// assert_eq!(plan.take(&mut usage, 1, at(10.0)), Ok(()));
/// assert_eq!(plan.take(&mut usage, 1, at(10.5)), Ok(()));
/// assert_eq!(plan.take(&mut usage, 1, at(10.6)), Err(Exceeded::Until(at(11.0))));
/// assert_eq!(plan.take(&mut usage, 1, at(11.0)), Ok(()));
/// assert_eq!(plan.take(&mut usage, 3, at(20.0)), Err(Exceeded::Always));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitPlan {
    strategy: Strategy,
    first: Rule,
    more: Box<[Rule]>,
}

/// What was used of a rate limit, by one key. It has a bounded size: at most some 1.1 kB for each limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitUsage {
    first: Window,
    more: Box<[Window]>,
}

/// What holds until something is taken elsewhere, so that one need not ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "who asks must know what to do with each")]
pub enum Standing {
    /// Nothing: one must ask.
    Unknown,
    /// There is no room before this moment.
    Closed(Moment),
    /// Before `until`, `left` can be taken. [`LimitUsage::leased`] must be told how much it was.
    Lease {
        /// The end of the lease.
        until: Moment,
        /// How much can be taken.
        left: u32,
    },
    /// One bucket decides, and it is full at this moment.
    Bucket(Moment),
}

impl LimitPlan {
    /// The plan of these settings.
    #[must_use]
    pub fn new(settings: &RateLimitedSettings) -> Self {
        let strategy = settings.strategy;
        let first = Limit { limit: settings.limit, per: settings.per };
        let first = Rule::new(first, strategy, settings.burst);
        let more = settings.and.iter().map(|it| Rule::new(it, strategy, None)).collect();
        Self { strategy, first, more }
    }

    /// What is used when nothing is.
    #[must_use]
    pub fn unused(&self) -> LimitUsage {
        let more = self.more.iter().map(|_| Window::unused(self.strategy)).collect();
        LimitUsage { first: Window::unused(self.strategy), more }
    }

    /// Takes `cost` of all limits, or of none. A cost of zero always passes.
    ///
    /// # Errors
    /// There is no room.
    pub fn take(&self, usage: &mut LimitUsage, cost: u32, now: Moment) -> Result<(), Exceeded> {
        if cost == 0 {
            return Ok(());
        }
        self.check(usage, cost, now)?;
        for (rule, window) in self.pairs(usage) {
            window.add(rule, cost, now);
        }
        Ok(())
    }

    /// Whether there is room for `cost` under all limits.
    ///
    /// # Errors
    /// There is none.
    pub fn check(&self, usage: &mut LimitUsage, cost: u32, now: Moment) -> Result<(), Exceeded> {
        // The last of them to make room decides: the others have room from their moment on.
        let full = self.pairs(usage).filter_map(|(rule, window)| window.check(rule, cost, now).err()).max();
        full.map_or(Ok(()), Err)
    }

    /// How it stands.
    pub fn state(&self, usage: &mut LimitUsage, now: Moment) -> LimitState {
        let retry_after = match self.check(usage, 1, now) {
            Ok(()) => Some(Duration::ZERO),
            Err(Exceeded::Until(at)) => Some(at.since(now)),
            Err(Exceeded::Always) => None,
        };
        let left = |(rule, window): (&Rule, &mut Window)| rule.most.saturating_sub(window.used(rule, now));
        let remaining = self.pairs(usage).map(left).min().unwrap_or_default();
        let over_at = self.pairs(usage).map(|(rule, window)| window.over_at(rule)).max().unwrap_or_default();
        LimitState::new(remaining, retry_after, over_at.since(now))
    }

    /// Gives back what was taken and is not over yet, the latest first, at most all of it.
    pub fn give_back(&self, usage: &mut LimitUsage, cost: u32, now: Moment) {
        // What is over is gone: it must not be given back in place of what is not.
        let _ = self.check(usage, 1, now);
        self.pairs(usage).for_each(|(rule, window)| window.give_back(rule, cost));
    }

    /// How much of its limits is used, in thousandths; of several limits, the largest share.
    #[must_use]
    pub fn share(&self, usage: &LimitUsage, now: Moment) -> u32 {
        let of = |(rule, window): (&Rule, &Window)| {
            let share = u64::from(window.used(rule, now)) * 1_000 / u64::from(rule.most.max(1));
            u32::try_from(share).unwrap_or(u32::MAX)
        };
        let more = self.more.iter().zip(&usage.more).map(of);
        more.fold(of((&self.first, &usage.first)), u32::max)
    }

    /// Whether half of one of its limits is used, as far as that is known without looking for what is over: after
    /// [`LimitPlan::take`] it is exact.
    #[must_use]
    pub fn is_half_used(&self, usage: &LimitUsage, now: Moment) -> bool {
        let is_half_used = |(rule, window): (&Rule, &Window)| window.is_half_used(rule, now);
        is_half_used((&self.first, &usage.first)) || self.more.iter().zip(&usage.more).any(is_half_used)
    }

    /// Whether nothing is used any more, so that it makes no difference to forget it.
    #[must_use]
    pub fn is_unused(&self, usage: &LimitUsage, now: Moment) -> bool {
        let is_unused = |(rule, window): (&Rule, &Window)| window.used(rule, now) == 0;
        is_unused((&self.first, &usage.first)) && self.more.iter().zip(&usage.more).all(is_unused)
    }

    /// The same use under this plan, after the plan `before`.
    #[must_use]
    pub fn adopt(&self, before: &Self, usage: LimitUsage, now: Moment) -> LimitUsage {
        let mut windows = std::iter::once(usage.first).chain(usage.more).zip(before.rules());
        let mut under = |rule: &Rule| match windows.next() {
            Some((window, old)) => window.under(old, self.strategy, rule, now),
            None => Window::unused(self.strategy),
        };
        let first = under(&self.first);
        LimitUsage { first, more: self.more.iter().map(under).collect() }
    }

    /// What can be said ahead.
    #[must_use]
    pub fn standing(&self, usage: &mut LimitUsage, now: Moment) -> Standing {
        if let (Window::Bucket(it), true) = (&usage.first, self.more.is_empty()) {
            return Standing::Bucket(it.full_at);
        }
        match self.check(usage, 1, now) {
            Err(Exceeded::Until(at)) => return Standing::Closed(at),
            Err(Exceeded::Always) => return Standing::Unknown,
            Ok(()) => {}
        }
        let mut lease = (Moment::MAX, u32::MAX);
        for (rule, window) in self.pairs(usage) {
            let Some((until, left)) = window.lease(rule, now) else { return Standing::Unknown };
            lease = (lease.0.min(until), lease.1.min(left));
        }
        Standing::Lease { until: lease.0, left: lease.1 }
    }

    /// How the bucket of the first limit fills.
    #[must_use]
    pub fn refill(&self) -> Refill {
        self.first.refill()
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        std::iter::once(&self.first).chain(&self.more)
    }

    fn pairs<'a>(&'a self, usage: &'a mut LimitUsage) -> impl Iterator<Item = (&'a Rule, &'a mut Window)> {
        std::iter::once((&self.first, &mut usage.first)).chain(self.more.iter().zip(&mut usage.more))
    }
}

impl LimitUsage {
    /// So much of a lease until `until` was taken.
    pub fn leased(&mut self, cost: u32, until: Moment) {
        self.first.leased(cost, until);
        self.more.iter_mut().for_each(|it| it.leased(cost, until));
    }

    /// The bucket is full at this moment.
    pub fn set_bucket(&mut self, full_at: Moment) {
        if let Window::Bucket(it) = &mut self.first {
            it.full_at = full_at;
        }
    }
}
