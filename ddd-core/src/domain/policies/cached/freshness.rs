use super::CachedSettings;
use crate::domain::{Moment, duration::nanos};

/// How long entries are good for, in nanoseconds. `u64::MAX` is forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spans {
    /// After the fill.
    pub ttl: u64,
    /// After the last use.
    pub tti: u64,
    /// After the fill, for an `Err` or a `None`; 0 if they are not stored.
    pub negative_ttl: u64,
    /// Before the end of the ttl.
    pub refresh_ahead: u64,
    /// After the end of the ttl.
    pub stale_on_error: u64,
}

/// What an entry is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "whoever serves entries decides on each")]
pub enum Freshness {
    /// To be served.
    Fresh,
    /// To be served, and to be filled again in the background.
    Due,
    /// To be served only if a fill fails.
    Stale,
    /// Nothing.
    Gone,
}

impl Spans {
    /// What the settings say.
    #[must_use]
    pub fn of(settings: &CachedSettings) -> Self {
        let (forever, none) = (std::time::Duration::MAX, std::time::Duration::ZERO);
        Self {
            ttl: nanos(settings.ttl.unwrap_or(forever)),
            tti: nanos(settings.tti.unwrap_or(forever)),
            negative_ttl: nanos(settings.negative_ttl.unwrap_or(none)),
            refresh_ahead: nanos(settings.refresh_ahead.unwrap_or(none)),
            stale_on_error: nanos(settings.stale_on_error.unwrap_or(none)),
        }
    }

    /// What an entry is good for at `now` that was filled and last used then. A clock that went back counts as one that
    /// stood still.
    #[must_use]
    pub const fn freshness(&self, now: Moment, filled: Moment, used: Moment, is_negative: bool) -> Freshness {
        let age = now.as_nanos().saturating_sub(filled.as_nanos());
        let idle = now.as_nanos().saturating_sub(used.as_nanos());
        if idle >= self.tti {
            return Freshness::Gone;
        }
        if is_negative {
            return if age < self.negative_ttl { Freshness::Fresh } else { Freshness::Gone };
        }
        if age < self.ttl.saturating_sub(self.refresh_ahead) || self.ttl == u64::MAX {
            Freshness::Fresh
        } else if age < self.ttl {
            Freshness::Due
        } else if age - self.ttl < self.stale_on_error {
            Freshness::Stale
        } else {
            Freshness::Gone
        }
    }

    /// The age below which an entry that is not negative is fresh, whatever else is known of it.
    #[must_use]
    pub const fn calm(&self) -> u64 {
        if self.tti == u64::MAX { self.ttl.saturating_sub(self.refresh_ahead) } else { 0 }
    }

    /// How long an entry is good for anything at all; `None` is forever.
    #[must_use]
    pub fn longest(&self) -> Option<std::time::Duration> {
        let longest = self.ttl.saturating_add(self.stale_on_error).max(self.negative_ttl);
        (longest < u64::MAX).then(|| std::time::Duration::from_nanos(longest))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const fn at(seconds: u64) -> Moment {
        Moment::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn an_entry_is_fresh_then_due_then_stale_then_gone() {
        let second = Duration::from_secs(1);
        let settings = CachedSettings::new().ttl(10 * second).refresh_ahead(3 * second).stale_on_error(5 * second);
        let spans = Spans::of(&settings);
        let cases = [
            (0, Freshness::Fresh),
            (6, Freshness::Fresh),
            (7, Freshness::Due),
            (9, Freshness::Due),
            (10, Freshness::Stale),
            (14, Freshness::Stale),
            (15, Freshness::Gone),
        ];
        for (age, freshness) in cases {
            assert_eq!(spans.freshness(at(100 + age), at(100), at(100), false), freshness, "at {age} s");
        }
        assert_eq!(spans.freshness(at(50), at(100), at(100), false), Freshness::Fresh, "the clock went back");
        assert_eq!(spans.longest(), Some(15 * second));
    }

    #[test]
    fn an_idle_entry_and_an_old_negative_one_are_gone() {
        let second = Duration::from_secs(1);
        let spans = Spans::of(&CachedSettings::new().forever().tti(5 * second).negative_ttl(2 * second));
        assert_eq!(spans.freshness(at(1_000), at(0), at(996), false), Freshness::Fresh);
        assert_eq!(spans.freshness(at(1_000), at(0), at(995), false), Freshness::Gone);
        assert_eq!(spans.freshness(at(1), at(0), at(0), true), Freshness::Fresh);
        assert_eq!(spans.freshness(at(2), at(0), at(0), true), Freshness::Gone);
        assert_eq!(spans.calm(), 0);
    }
}
