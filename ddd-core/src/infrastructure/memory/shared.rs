use std::{
    fmt,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

use super::{
    effects::{Effects, Sinks},
    state::State,
};
use crate::{
    domain::Timestamp,
    ports::{Clock, SignalSink},
};

/// What the lock guards.
struct Guarded {
    state: State,
    /// Held by the store as well, so that no change has to ask which of them live; those that only the store still holds
    /// are dropped now and then.
    sinks: Sinks,
}

/// What the handles of one store share.
pub(super) struct Shared {
    clock: Arc<dyn Clock>,
    guarded: Mutex<Guarded>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, guarded: Mutex::new(Guarded { state: State::default(), sinks: Arc::new([]) }) }
    }

    /// Does one change as a whole. Its signals are sent, and what it dropped is freed, after the lock is.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State, Timestamp, &mut Effects) -> T) -> T {
        let now = self.clock.now();
        let (answer, fx) = {
            let mut guarded = self.guarded.lock();
            let Guarded { state, sinks } = &mut *guarded;
            let mut fx = Effects::told_to(sinks.clone());
            let now = state.tick(now);
            let answer = change(state, now, &mut fx);
            fx.name_queues(&state.queues);
            (answer, fx)
        };
        fx.send();
        answer
    }

    pub(super) fn attach(&self, sink: &Weak<dyn SignalSink>) {
        self.set_sinks(sink.upgrade());
    }

    /// Drops the sinks of applications that are gone.
    pub(super) fn drop_dead_sinks(&self) {
        let has_dead = self.guarded.lock().sinks.iter().any(is_dead);
        if has_dead {
            self.set_sinks(None);
        }
    }

    /// The sinks that live, and one more.
    fn set_sinks(&self, more: Option<Arc<dyn SignalSink>>) {
        let mut guarded = self.guarded.lock();
        let living: Sinks = guarded.sinks.iter().filter(|it| !is_dead(it)).cloned().chain(more).collect();
        let before = std::mem::replace(&mut guarded.sinks, living);
        drop(guarded);
        drop(before);
    }
}

/// Whether only the store still holds it.
fn is_dead(sink: &Arc<dyn SignalSink>) -> bool {
    Arc::strong_count(sink) == 1
}
