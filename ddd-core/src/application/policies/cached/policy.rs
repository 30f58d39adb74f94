use serde_json::{Map, Value, json};
use tokio::runtime::Handle;

use super::{
    super::{
        ambient,
        policy_cell::{PolicyCell, PolicySettings},
    },
    cell::CachedCell,
    shared::Hub,
    state::State,
};
use crate::{
    domain::{CachedSettings, PolicyKind, Scope, Site},
    ports::CacheTarget,
};

impl PolicySettings for CachedSettings {
    const KIND: PolicyKind = PolicyKind::Cached;
    const FIXED: &'static [&'static str] = &["scope"];

    fn problems(&self) -> Vec<String> {
        self.problems()
    }
}

impl PolicyCell for CachedCell {
    type Settings = CachedSettings;

    fn site(&self) -> &Site {
        self.place()
    }

    fn annotated(&self) -> &CachedSettings {
        self.settings()
    }

    fn look<T>(&'static self, look: impl FnOnce(&CachedSettings) -> T) -> T {
        look(&self.state().common.settings())
    }

    fn adopt<E>(&'static self, next: impl FnOnce(&CachedSettings) -> Result<CachedSettings, E>) -> Result<(), E> {
        let state = self.state();
        if state.common.adopt(next)? {
            state.all().iter().for_each(|it| it.rebuild());
        }
        Ok(())
    }

    fn figures(&'static self) -> Map<String, Value> {
        let state = self.state();
        let tables = state.all();
        let mut figures = state.common.figures.shown(front_hits(&state));
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
    }

    fn reset_figures(&'static self) {
        let state = self.state();
        state.common.figures.reset(front_hits(&state));
    }

    fn clear(&'static self) {
        clear(&self.state());
        let name = self.place().name;
        if let (Scope::Shared, Ok(runtime)) = (self.settings().scope, Handle::try_current()) {
            // Nobody waits for the store's answer.
            let hub = Hub::current();
            drop(runtime.spawn(ambient::carried(async move { hub.invalidate(name, CacheTarget::All).await })));
        }
    }
}

/// Forgets all entries, and what is being filled.
pub(super) fn clear(state: &State) {
    // The bounded stores first: an entry of the new epoch must not go into an old one, where no invalidation would find it
    // while the front table still serves it. Those of the old epoch that go into a new one are served no more.
    state.all().iter().for_each(|it| it.clear());
    state.common.next_epoch();
}

fn front_hits(state: &State) -> u64 {
    state.all().iter().map(|it| it.hits()).sum()
}
