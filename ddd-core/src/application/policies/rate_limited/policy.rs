use std::convert::Infallible;

use serde_json::{Map, Value, json};

use super::{
    super::settings::{changed, shown, sound},
    cell::RateLimitedCell,
    limiter::{ALLOWED, REFUSED, UNANSWERED},
    shared,
};
use crate::{
    domain::{PolicyKind, RateLimitedSettings, Scope, Site},
    ports::{Policy, PolicyChangeError},
};

/// So many of the keys that are nearest their limit are shown.
const NEAREST: usize = 10;

impl RateLimitedCell {
    fn next(
        &self,
        current: &RateLimitedSettings,
        settings: &Map<String, Value>,
    ) -> Result<RateLimitedSettings, PolicyChangeError> {
        let mut next = changed(current, settings, &["scope"])?;
        // No setting that anyone sees, so it is lost on the way.
        next.is_blocking = self.annotated.is_blocking;
        if self.annotated.wait.is_zero() && !next.wait.is_zero() {
            let problem = "the attribute has no `wait`, so the function has no place to wait; write one there";
            return Err(PolicyChangeError::new("wait", problem));
        }
        sound(&next.problems())?;
        Ok(next)
    }
}

impl Policy for RateLimitedCell {
    fn kind(&self) -> PolicyKind {
        PolicyKind::RateLimited
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn problems(&self) -> Vec<String> {
        self.annotated.problems()
    }

    fn annotated(&self) -> Map<String, Value> {
        shown(&self.annotated)
    }

    fn effective(&'static self) -> Map<String, Value> {
        shown(&*self.limiter().effective())
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

    fn change(&'static self, settings: &Map<String, Value>) -> Result<(), PolicyChangeError> {
        self.limiter().change(|effective| self.next(effective, settings))
    }

    fn check(&'static self, settings: &Map<String, Value>) -> Result<(), PolicyChangeError> {
        self.next(&self.limiter().effective(), settings).map(drop)
    }

    fn reset(&'static self) {
        let limiter = self.limiter();
        let Ok(()) = limiter.change(|_| Ok::<_, Infallible>(self.annotated.clone()));
        limiter.reset_figures();
    }

    fn clear(&'static self) {
        self.limiter().clear();
        if self.annotated.scope == Scope::Shared {
            shared::clear(self.site.name);
        }
    }
}
