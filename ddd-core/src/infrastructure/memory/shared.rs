use std::{
    fmt,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

use super::{effects::Effects, state::State};
use crate::{
    domain::Timestamp,
    ports::{Clock, SignalSink},
};

/// What the lock guards.
#[derive(Default)]
struct Guarded {
    state: State,
    /// Held by the store as well, so that no change has to ask which of them live; those that only the store still holds
    /// are dropped now and then.
    sinks: Vec<Arc<dyn SignalSink>>,
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
        Self { clock, guarded: Mutex::default() }
    }

    /// Does one change as a whole. Its signals are sent, and what it dropped is freed, after the lock is.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State, Timestamp, &mut Effects) -> T) -> T {
        let now = self.clock.now();
        let (answer, fx) = {
            let mut guarded = self.guarded.lock();
            let Guarded { state, sinks } = &mut *guarded;
            let mut fx = Effects::told_to(std::mem::take(sinks));
            let now = state.tick(now);
            let answer = change(state, now, &mut fx);
            fx.name_queues(&state.queues);
            *sinks = fx.give_sinks_back();
            (answer, fx)
        };
        fx.send();
        answer
    }

    pub(super) fn attach(&self, sink: &Weak<dyn SignalSink>) {
        self.guarded.lock().sinks.extend(sink.upgrade());
    }

    /// Drops the sinks of applications that are gone.
    pub(super) fn drop_dead_sinks(&self) {
        let dead: Vec<_> = self.guarded.lock().sinks.extract_if(.., |it| Arc::strong_count(it) == 1).collect();
        drop(dead);
    }
}
