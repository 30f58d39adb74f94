use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use super::{
    super::{
        counters::Counters,
        policy_cell::{PolicyCell, PolicySettings},
        settings::shown,
        state_cell::{Held, StateCell},
    },
    room::Room,
};
use crate::domain::{BulkheadSettings, PolicyKind, Refused, RefusedKind, Site};

/// `#[bulkhead]` of one function.
#[derive(Debug)]
pub struct BulkheadCell {
    site: Site,
    annotated: BulkheadSettings,
    state: StateCell<State>,
}

/// The place of one call; dropped, it is free for the next one.
#[must_use = "a permit that is dropped at once limits nothing"]
#[derive(Debug)]
pub struct BulkheadPermit(Held<State>);

#[derive(Debug)]
struct State {
    room: Room,
    effective: Mutex<BulkheadSettings>,
    /// [`ALLOWED`] and [`REFUSED`] calls.
    calls: Counters<2>,
}

const ALLOWED: usize = 0;
const REFUSED: usize = 1;

impl BulkheadCell {
    /// The bulkhead of the function at `site`.
    #[must_use]
    pub const fn new(site: Site, settings: BulkheadSettings) -> Self {
        Self { site, annotated: settings, state: StateCell::new() }
    }

    /// Takes a place, or waits for one as long as the settings say. Those who wait are served in the order in which they came; one
    /// that stops waiting takes none.
    ///
    /// # Errors
    /// No place is free, or became free in time, or too many wait already.
    pub async fn enter(&'static self) -> Result<BulkheadPermit, Refused> {
        let state = self.state();
        if state.room.try_take() || self.wait(&state).await {
            state.calls.count(ALLOWED);
            return Ok(BulkheadPermit(state));
        }
        state.calls.count(REFUSED);
        Err(Refused::new(RefusedKind::BulkheadFull, self.site.name, None))
    }

    fn state(&'static self) -> Held<State> {
        self.state.get(|| State::new(self.annotated.clone()))
    }

    async fn wait(&self, state: &State) -> bool {
        let (queue, longest) = {
            let effective = state.effective.lock();
            (effective.queue, effective.wait)
        };
        if queue == 0 || longest.is_zero() {
            return false;
        }
        // On the heap: few calls wait, and the others need not carry what a wait needs.
        Box::pin(state.room.take(queue, longest)).await
    }
}

impl Drop for BulkheadPermit {
    fn drop(&mut self) {
        self.0.room.give_back();
    }
}

impl State {
    fn new(settings: BulkheadSettings) -> Self {
        Self { room: Room::new(settings.limit), effective: Mutex::new(settings), calls: Counters::default() }
    }
}

impl PolicySettings for BulkheadSettings {
    const KIND: PolicyKind = PolicyKind::Bulkhead;

    fn problems(&self) -> Vec<String> {
        self.problems()
    }
}

impl PolicyCell for BulkheadCell {
    type Settings = BulkheadSettings;

    fn site(&self) -> &Site {
        &self.site
    }

    fn annotated(&self) -> &BulkheadSettings {
        &self.annotated
    }

    fn look<T>(&'static self, look: impl FnOnce(&BulkheadSettings) -> T) -> T {
        look(&self.state().effective.lock())
    }

    fn adopt<E>(&'static self, next: impl FnOnce(&BulkheadSettings) -> Result<BulkheadSettings, E>) -> Result<(), E> {
        let state = self.state();
        let mut effective = state.effective.lock();
        let settings = next(&effective)?;
        state.room.resize(effective.limit, settings.limit);
        *effective = settings;
        Ok(())
    }

    fn figures(&'static self) -> Map<String, Value> {
        let state = self.state();
        let running = state.room.taken(state.effective.lock().limit);
        shown(&json!({
            "running": running,
            "waiting": state.room.waiting(),
            "allowed": state.calls.sum(ALLOWED),
            "refused": state.calls.sum(REFUSED),
        }))
    }

    fn reset_figures(&'static self) {
        self.state().calls.reset();
    }

    /// A bulkhead remembers nothing but the calls that run, and these keep their places.
    fn clear(&'static self) {}
}
