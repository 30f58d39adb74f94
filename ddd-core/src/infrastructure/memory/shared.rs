use std::{
    fmt,
    sync::{Arc, Weak},
};

use parking_lot::{Mutex, RwLock};

use super::{effects::Effects, state::State};
use crate::{
    domain::Timestamp,
    ports::{Clock, SignalSink},
};

/// What the handles of one store share.
pub(super) struct Shared {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    sinks: RwLock<Vec<Weak<dyn SignalSink>>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default(), sinks: RwLock::default() }
    }

    /// Does one change as a whole. Its signals are sent, and what it dropped is freed, after the lock is.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State, Timestamp, &mut Effects) -> T) -> T {
        let now = self.clock.now();
        let (mut fx, all_live) = Effects::told_to(&self.sinks.read());
        let answer = {
            let mut state = self.state.lock();
            let now = state.tick(now);
            let answer = change(&mut state, now, &mut fx);
            fx.name_queues(&state.queues);
            answer
        };
        fx.send();
        if !all_live {
            self.sinks.write().retain(|it| it.strong_count() > 0);
        }
        answer
    }

    pub(super) fn attach(&self, sink: Weak<dyn SignalSink>) {
        self.sinks.write().push(sink);
    }
}
