use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    more_limits::{Limit, MoreLimits},
    strategy::Strategy,
};
use crate::domain::{duration::LONGEST, duration_serde::text, policies::scope::Scope};

/// The settings of `#[rate_limited]`. In JSON, durations are texts such as `"1m"`.
///
/// ```
/// use std::time::Duration;
/// use ddd_core::domain::RateLimitedSettings;
///
/// let settings = RateLimitedSettings::new().limit(30).per(Duration::from_secs(1)).and(500, Duration::from_secs(3_600));
/// assert_eq!(serde_json::to_value(&settings)?["and"][0]["per"], "1h");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RateLimitedSettings {
    /// How much may pass in one period: so many calls, or so much of their weight. Default: 60.
    pub limit: u32,
    /// The period. Default: 1 min.
    #[serde(with = "text")]
    pub per: Duration,
    /// How much may pass at once under [`Strategy::TokenBucket`]. Default: the limit.
    pub burst: Option<u32>,
    /// How it is counted. Default: [`Strategy::SlidingWindow`].
    pub strategy: Strategy,
    /// More limits. A call passes all of them, or counts for none. Default: none.
    pub and: MoreLimits,
    /// How long a call waits for its turn before it is refused. Default: zero, it is refused at once. It can change while the
    /// program runs if the attribute has one: other functions have no place to wait.
    #[serde(with = "text")]
    pub wait: Duration,
    /// How many calls may wait at once; further ones are refused at once. Default: 1,000.
    pub queue: u32,
    /// Of how many keys it knows what they have used. Default: 100,000.
    ///
    /// Where more are in use at once, those that have used the least of their limit are forgotten, as if they were unused.
    pub capacity: u32,
    /// Who has the limit in common. Default: [`Scope::Local`].
    pub scope: Scope,
    /// What happens to calls while the shared store does not answer. Default: [`WhenUnavailable::Local`].
    pub when_unavailable: WhenUnavailable,
    /// Whether the function is not async. It cannot wait then, and cannot ask a shared store.
    #[serde(skip)]
    pub is_blocking: bool,
}

/// What happens to calls of a shared limit while its store does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WhenUnavailable {
    /// They pass.
    Allow,
    /// They are refused.
    Refuse,
    /// Each process holds the limit by itself.
    #[default]
    Local,
}

impl RateLimitedSettings {
    /// What `#[rate_limited]` says without options: 60 per minute.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            limit: 60,
            per: Duration::from_secs(60),
            burst: None,
            strategy: Strategy::SlidingWindow,
            and: MoreLimits::none(),
            wait: Duration::ZERO,
            queue: 1_000,
            capacity: 100_000,
            scope: Scope::Local,
            when_unavailable: WhenUnavailable::Local,
            is_blocking: false,
        }
    }

    /// The limit of one user: 30 per minute.
    #[must_use]
    pub const fn by_user() -> Self {
        Self::new().limit(30)
    }

    /// The limit of one address: 100 per minute.
    #[must_use]
    pub const fn by_ip() -> Self {
        Self::new().limit(100)
    }

    /// With this limit.
    #[must_use]
    pub const fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// With this period.
    #[must_use]
    pub const fn per(mut self, per: Duration) -> Self {
        self.per = per;
        self
    }

    /// With so much at once.
    #[must_use]
    pub const fn burst(mut self, burst: u32) -> Self {
        self.burst = Some(burst);
        self
    }

    /// Counted so.
    #[must_use]
    pub const fn strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// With one more limit, at most [`MoreLimits::MOST`] times.
    #[must_use]
    pub const fn and(mut self, limit: u32, per: Duration) -> Self {
        self.and = self.and.with(Limit { limit, per });
        self
    }

    /// With calls that wait so long for their turn.
    #[must_use]
    pub const fn wait(mut self, longest: Duration) -> Self {
        self.wait = longest;
        self
    }

    /// With so many calls that may wait.
    #[must_use]
    pub const fn queue(mut self, queue: u32) -> Self {
        self.queue = queue;
        self
    }

    /// With so many keys.
    #[must_use]
    pub const fn capacity(mut self, capacity: u32) -> Self {
        self.capacity = capacity;
        self
    }

    /// With a limit that all processes have in common.
    #[must_use]
    pub const fn shared(mut self) -> Self {
        self.scope = Scope::Shared;
        self
    }

    /// With this for calls while the shared store does not answer.
    #[must_use]
    pub const fn when_unavailable(mut self, then: WhenUnavailable) -> Self {
        self.when_unavailable = then;
        self
    }

    /// On a function that is not async.
    #[must_use]
    pub const fn blocking(mut self) -> Self {
        self.is_blocking = true;
        self
    }

    /// All limits, the first one first.
    pub fn limits(&self) -> impl Iterator<Item = Limit> {
        std::iter::once(Limit { limit: self.limit, per: self.per }).chain(self.and.iter())
    }

    /// What is wrong with them, each in words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<_> = self.limits().flat_map(|it| it.problems(self.strategy)).collect();
        let mut require = |holds: bool, problem: &str| {
            if !holds {
                problems.push(problem.to_owned());
            }
        };
        require(self.burst != Some(0), "`burst` is 0: no call would pass; write at least 1");
        require(
            self.burst.is_none() || self.strategy == Strategy::TokenBucket,
            "`burst` has no effect under this strategy; write `strategy = \"token_bucket\"`, or leave it out",
        );
        require(self.queue > 0 || self.wait.is_zero(), "`queue` is 0, so no call may wait; leave `wait` out");
        require(self.capacity > 0, "`capacity` is 0: no key would be known; write at least 1");
        if self.is_blocking {
            require(self.wait.is_zero(), "`wait` is for async functions; leave it out, or make the function async");
            require(
                self.scope == Scope::Local,
                "`scope = \"shared\"` is for async functions; leave it out, or make the function async",
            );
        }
        problems
    }
}

impl Limit {
    fn problems(self, strategy: Strategy) -> impl Iterator<Item = String> {
        let Self { limit, per } = self;
        let too_dense = strategy == Strategy::TokenBucket && u128::from(limit) > per.as_nanos();
        let wrong = [
            (limit == 0, "`limit` is 0: no call would pass; write at least 1".to_owned()),
            (per.is_zero(), "`per` is zero; write a period such as \"1s\"".to_owned()),
            // What is added to a moment must not reach beyond it.
            (per > LONGEST, format!("`per` is {per:?}; write at most `36500d`")),
            (
                too_dense && !per.is_zero(),
                format!("`limit` of {limit} is over one in a nanosecond; write a longer `per`, or a smaller limit"),
            ),
        ];
        wrong.into_iter().filter(|it| it.0).map(|it| it.1)
    }
}

impl Default for RateLimitedSettings {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a failed expect is a failed test")]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn what_is_shown_can_be_given_back() {
        let some = RateLimitedSettings::new().limit(3).burst(2).strategy(Strategy::TokenBucket).wait(MINUTE).shared();
        let all = some.and(5, MINUTE).and(6, MINUTE * 60).when_unavailable(WhenUnavailable::Refuse);
        let shown = serde_json::to_value(&all).expect("settings are JSON");
        assert_eq!(serde_json::from_value::<RateLimitedSettings>(shown).expect("they are read back"), all);
    }

    #[test]
    fn more_limits_than_there_is_room_for_are_refused() {
        let five = serde_json::json!([{"limit": 1, "per": "1s"}, {"limit": 1, "per": "1m"}, {"limit": 1, "per": "1h"},
            {"limit": 1, "per": "1d"}]);
        let error = serde_json::from_value::<MoreLimits>(five).expect_err("there are too many");
        assert!(error.to_string().contains("write at most 3"), "{error}");
    }

    #[test]
    fn each_problem_is_told() {
        let good = RateLimitedSettings::new();
        assert!(good.problems().is_empty());
        let wrong = [
            good.clone().limit(0),
            good.clone().per(Duration::ZERO),
            good.clone().per(Duration::MAX),
            good.clone().and(0, MINUTE),
            good.clone().burst(3),
            good.clone().burst(0).strategy(Strategy::TokenBucket),
            good.clone().limit(2_000_000).per(Duration::from_millis(1)).strategy(Strategy::TokenBucket),
            good.clone().wait(MINUTE).queue(0),
            good.clone().capacity(0),
            good.clone().wait(MINUTE).blocking(),
            good.shared().blocking(),
        ];
        for settings in wrong {
            assert_eq!(settings.problems().len(), 1, "{settings:?}: {:?}", settings.problems());
        }
    }
}
