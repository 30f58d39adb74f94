use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{
    duration_serde::{text_or_forever, text_or_null},
    policies::scope::Scope,
};

/// The settings of `#[cached]`. In JSON, durations are texts such as `"10m"`.
///
/// ```
/// use std::time::Duration;
/// use ddd_core::domain::CachedSettings;
///
/// let settings = CachedSettings::new().ttl(Duration::from_secs(600)).capacity(1_000);
/// assert_eq!(serde_json::to_value(settings)?["ttl"], "10m");
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CachedSettings {
    /// How long a value is served after its fill; `None`, in JSON `"forever"`: until it is evicted or invalidated. Default: 1 h.
    #[serde(with = "text_or_forever")]
    pub ttl: Option<Duration>,
    /// A value that nobody asked for in so long is no longer served. Default: none.
    #[serde(with = "text_or_null")]
    pub tti: Option<Duration>,
    /// How long an `Err` or a `None` is served. Default: none, they are not stored.
    #[serde(with = "text_or_null")]
    pub negative_ttl: Option<Duration>,
    /// How many values are kept, or how much they may weigh together if they are weighed. Default: 10,000.
    pub capacity: u64,
    /// A hit within so long before the end of the ttl starts a fill in the background. Default: none.
    #[serde(with = "text_or_null")]
    pub refresh_ahead: Option<Duration>,
    /// A value whose ttl ended less than so long ago stands in for a fill that fails. Default: none.
    #[serde(with = "text_or_null")]
    pub stale_on_error: Option<Duration>,
    /// Who has the entries in common. Default: [`Scope::Local`]. It cannot change while the program runs.
    pub scope: Scope,
}

impl CachedSettings {
    /// What `#[cached]` says without options.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            ttl: Some(Duration::from_secs(3_600)),
            tti: None,
            negative_ttl: None,
            capacity: 10_000,
            refresh_ahead: None,
            stale_on_error: None,
            scope: Scope::Local,
        }
    }

    /// With this ttl.
    #[must_use]
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Without a ttl.
    #[must_use]
    pub const fn forever(mut self) -> Self {
        self.ttl = None;
        self
    }

    /// With this time to idle.
    #[must_use]
    pub const fn tti(mut self, tti: Duration) -> Self {
        self.tti = Some(tti);
        self
    }

    /// With this ttl for `Err` and `None`.
    #[must_use]
    pub const fn negative_ttl(mut self, ttl: Duration) -> Self {
        self.negative_ttl = Some(ttl);
        self
    }

    /// With this capacity.
    #[must_use]
    pub const fn capacity(mut self, capacity: u64) -> Self {
        self.capacity = capacity;
        self
    }

    /// With refreshes so long before the end of the ttl.
    #[must_use]
    pub const fn refresh_ahead(mut self, ahead: Duration) -> Self {
        self.refresh_ahead = Some(ahead);
        self
    }

    /// With old values standing in for failed fills, so long after the end of their ttl.
    #[must_use]
    pub const fn stale_on_error(mut self, longest: Duration) -> Self {
        self.stale_on_error = Some(longest);
        self
    }

    /// With entries that all processes have in common.
    #[must_use]
    pub const fn shared(mut self) -> Self {
        self.scope = Scope::Shared;
        self
    }

    /// What is wrong with them, each in words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let spans = [
            ("ttl", self.ttl),
            ("tti", self.tti),
            ("negative_ttl", self.negative_ttl),
            ("refresh_ahead", self.refresh_ahead),
            ("stale_on_error", self.stale_on_error),
        ];
        for (name, _) in spans.iter().filter(|(_, it)| it.is_some_and(|it| it.is_zero())) {
            problems.push(match *name {
                "ttl" => "`ttl` is zero: nothing would ever be served; write how long, or `\"forever\"`".to_owned(),
                name => format!("`{name}` is zero; leave it out instead"),
            });
        }
        if self.capacity == 0 {
            problems.push("`capacity` is 0: nothing would be kept; write at least 1".to_owned());
        }
        match (self.refresh_ahead, self.ttl) {
            (Some(_), None) => problems.push("`refresh_ahead` has no effect without a `ttl`; leave it out".to_owned()),
            (Some(ahead), Some(ttl)) if ahead >= ttl => problems.push(format!(
                "`refresh_ahead` ({ahead:?}) is not shorter than `ttl` ({ttl:?}): every hit would start a fill; write less"
            )),
            _ => {}
        }
        if self.stale_on_error.is_some() && self.ttl.is_none() {
            problems.push("`stale_on_error` has no effect without a `ttl`; leave it out".to_owned());
        }
        if self.scope == Scope::Shared && self.tti.is_some() {
            problems.push(
                "`tti` has no meaning with `scope = \"shared\"`: no process knows what others ask for; leave it out, and \
                 write a `ttl`"
                    .to_owned(),
            );
        }
        problems
    }
}

impl Default for CachedSettings {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a failed test")]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_given_back() {
        let minute = Duration::from_secs(60);
        let all = CachedSettings::new().ttl(minute).tti(minute).negative_ttl(minute).refresh_ahead(minute / 2);
        for settings in [all.stale_on_error(minute), CachedSettings::new().shared(), CachedSettings::new().forever()] {
            let shown = serde_json::to_value(&settings).expect("settings are JSON");
            assert_eq!(serde_json::from_value::<CachedSettings>(shown).expect("they are read back"), settings);
        }
        assert_eq!(serde_json::to_value(CachedSettings::new().forever()).expect("JSON")["ttl"], "forever");
    }

    #[test]
    fn each_problem_is_told() {
        let minute = Duration::from_secs(60);
        assert!(CachedSettings::new().problems().is_empty());
        let wrong = [
            CachedSettings::new().ttl(Duration::ZERO),
            CachedSettings::new().tti(Duration::ZERO),
            CachedSettings::new().capacity(0),
            CachedSettings::new().ttl(minute).refresh_ahead(minute),
            CachedSettings::new().forever().refresh_ahead(minute),
            CachedSettings::new().forever().stale_on_error(minute),
            CachedSettings::new().tti(minute).shared(),
        ];
        for settings in wrong {
            assert_eq!(settings.problems().len(), 1, "{settings:?}: {:?}", settings.problems());
        }
    }
}
