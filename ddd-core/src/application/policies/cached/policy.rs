use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use super::{
    super::{
        ambient,
        settings::{changed, shown, sound},
    },
    cell::CachedCell,
    shared::Hub,
    state::State,
};
use crate::{
    domain::{CachedSettings, PolicyKind, Scope, Site, Spans},
    ports::{CacheTarget, Policy, PolicyChangeError},
};

impl Policy for CachedCell {
    fn kind(&self) -> PolicyKind {
        PolicyKind::Cached
    }

    fn site(&self) -> &Site {
        self.place()
    }

    fn problems(&self) -> Vec<String> {
        self.settings().problems()
    }

    fn annotated(&self) -> Map<String, Value> {
        shown(self.settings())
    }

    fn effective(&self) -> Map<String, Value> {
        self.with(|it| shown(&it.common.settings()))
    }

    fn figures(&self) -> Map<String, Value> {
        self.with(|state| {
            let tables = state.all();
            let mut figures = state.common.figures.shown(front_hits(state));
            let (size, weight) = tables.iter().map(|it| it.size()).fold((0, 0), |(n, w), it| (n + it.0, w + it.1));
            let running: usize = tables.iter().map(|it| it.running()).sum();
            let gauges = [
                ("size", json!(size)),
                ("weight", json!(weight)),
                ("running_fills", json!(running)),
                ("tags", json!(state.common.tags.len())),
                ("tables", json!(tables.len())),
            ];
            figures.extend(gauges.map(|(name, figure)| (name.to_owned(), figure)));
            if self.settings().scope == Scope::Shared {
                let shared = state.common.figures.shared.shown();
                figures.extend(shared.map(|(name, figure)| (name.to_owned(), json!(figure))));
            }
            figures
        })
    }

    fn change(&self, settings: &Map<String, Value>) -> Result<(), PolicyChangeError> {
        self.with(|state| {
            apply(state, next(&state.common.settings(), settings)?);
            Ok(())
        })
    }

    fn check(&self, settings: &Map<String, Value>) -> Result<(), PolicyChangeError> {
        self.with(|state| next(&state.common.settings(), settings).map(drop))
    }

    fn reset(&self) {
        self.with(|state| {
            apply(state, self.settings().clone());
            state.common.figures.reset(front_hits(state));
        });
    }

    fn clear(&self) {
        self.with(clear);
        let name = self.site().name;
        if let (Scope::Shared, Ok(runtime)) = (self.settings().scope, Handle::try_current()) {
            // Nobody waits for the store's answer.
            let hub = Hub::current();
            drop(runtime.spawn(ambient::carried(async move { hub.invalidate(name, CacheTarget::All).await })));
        }
    }
}

fn next(current: &CachedSettings, settings: &Map<String, Value>) -> Result<CachedSettings, PolicyChangeError> {
    let next = changed(current, settings, &["scope"])?;
    sound(&next.problems())?;
    Ok(next)
}

/// Forgets all entries, and what is being filled.
pub(super) fn clear(state: &State) {
    // The bounded stores first: an entry of the new epoch must not go into an old one, where no invalidation would find it
    // while the front table still serves it. Those of the old epoch that go into a new one are served no more.
    state.all().iter().for_each(|it| it.clear());
    state.common.next_epoch();
}

fn apply(state: &State, settings: CachedSettings) {
    let before = state.common.settings();
    let is_bound_anew = settings.capacity != before.capacity || longest(&settings) != longest(&before);
    state.common.apply(settings);
    if !is_bound_anew {
        return;
    }
    state.all().iter().for_each(|it| it.rebuild());
}

/// How long the bounded store keeps entries.
fn longest(settings: &CachedSettings) -> Option<Duration> {
    Spans::of(settings).longest()
}

fn front_hits(state: &State) -> u64 {
    state.all().iter().map(|it| it.hits()).sum()
}
