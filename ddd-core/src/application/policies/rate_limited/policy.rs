use serde_json::{Map, Value, json};

use super::{
    super::settings::{changed, shown, sound},
    cell::RateLimitedCell,
    shared,
};
use crate::{
    domain::{PolicyKind, Scope, Site},
    ports::{Policy, PolicyChangeError},
};

/// So many of the keys that are nearest their limit are shown.
const NEAREST: usize = 10;

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

    fn effective(&self) -> Map<String, Value> {
        self.look(|it| shown(&*it.effective()))
    }

    fn figures(&self) -> Map<String, Value> {
        self.look(|it| {
            let (keys, forgotten, nearest) = it.keys(NEAREST);
            shown(&json!({
                "allowed": it.sum(|it| &it.allowed),
                "refused": it.sum(|it| &it.refused),
                "unanswered": it.sum(|it| &it.unanswered),
                "waiting": it.queue.waiting(),
                "used": f64::from(it.share()) / 1_000.0,
                "keys": keys,
                "forgotten": forgotten,
                "nearest": nearest,
            }))
        })
    }

    fn change(&self, settings: &Map<String, Value>) -> Result<(), PolicyChangeError> {
        self.look(|it| {
            it.change(|effective| {
                let settings = changed(effective, settings, &["scope"])?;
                sound(&settings.problems())?;
                Ok(settings)
            })
        })
    }

    fn reset(&self) {
        self.look(|it| {
            let Ok(()) = it.change(|_| Ok::<_, std::convert::Infallible>(self.annotated.clone()));
            it.reset_figures();
        });
    }

    fn clear(&self) {
        self.look(super::limiter::Limiter::clear);
        if self.annotated.scope == Scope::Shared {
            shared::clear(self.site.name);
        }
    }
}
