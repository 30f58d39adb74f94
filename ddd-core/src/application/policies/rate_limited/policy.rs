use serde_json::{Map, Value, json};

use super::{
    super::{
        policy_cell::{PolicyCell, PolicySettings},
        settings::shown,
    },
    cell::RateLimitedCell,
    limiter::{ALLOWED, REFUSED, UNANSWERED},
    shared,
};
use crate::{
    domain::{PolicyKind, RateLimitedSettings, Scope, Site},
    ports::PolicyChangeError,
};

/// So many of the keys that are nearest their limit are shown.
const NEAREST: usize = 10;

impl PolicySettings for RateLimitedSettings {
    const KIND: PolicyKind = PolicyKind::RateLimited;
    const FIXED: &'static [&'static str] = &["scope"];

    fn problems(&self) -> Vec<String> {
        self.problems()
    }
}

impl PolicyCell for RateLimitedCell {
    type Settings = RateLimitedSettings;

    fn site(&self) -> &Site {
        &self.site
    }

    fn annotated(&self) -> &RateLimitedSettings {
        &self.annotated
    }

    fn look<T>(&'static self, look: impl FnOnce(&RateLimitedSettings) -> T) -> T {
        look(&self.limiter().effective())
    }

    fn adopt<E>(
        &'static self,
        next: impl FnOnce(&RateLimitedSettings) -> Result<RateLimitedSettings, E>,
    ) -> Result<(), E> {
        self.limiter().change(next)
    }

    fn completed(&self, mut changed: RateLimitedSettings) -> Result<RateLimitedSettings, PolicyChangeError> {
        // No setting that anyone sees, so it is lost on the way.
        changed.is_blocking = self.annotated.is_blocking;
        if self.annotated.wait.is_zero() && !changed.wait.is_zero() {
            let problem = "the attribute has no `wait`, so the function has no place to wait; write one there";
            return Err(PolicyChangeError::new("wait", problem));
        }
        Ok(changed)
    }

    fn figures(&'static self) -> Map<String, Value> {
        let limiter = self.limiter();
        let (keys, forgotten, nearest) = limiter.keys(NEAREST);
        shown(&json!({
            "allowed": limiter.calls.sum(ALLOWED),
            "refused": limiter.calls.sum(REFUSED),
            "unanswered": limiter.calls.sum(UNANSWERED),
            "waiting": limiter.queue.waiting(),
            "used": f64::from(limiter.share()) / 1_000.0,
            "keys": keys,
            "forgotten": forgotten,
            "nearest": nearest,
        }))
    }

    fn reset_figures(&'static self) {
        self.limiter().reset_figures();
    }

    fn clear(&'static self) {
        self.limiter().clear();
        if self.annotated.scope == Scope::Shared {
            shared::clear(self.site.name);
        }
    }
}
