use std::{
    fmt,
    sync::{Arc, Weak},
};

use parking_lot::{Mutex, MutexGuard};

use super::{
    effects::{Effects, Sinks},
    intake::{Intake, Submitted, Urgency},
    state::State,
};
use crate::{
    domain::{TaskStatus, Timestamp},
    ports::{Clock, Enqueued, NewTask, SignalSink, StoreSettings},
};

/// How often the lock is looked at before its taker sleeps.
const SPINS: usize = 200;

/// What the lock guards.
struct Guarded {
    state: State,
    /// Held by the store as well, so that no change has to ask which of them live; those that only the store still holds
    /// are dropped now and then.
    sinks: Sinks,
    /// Empty room for what is sorted in before a change.
    submitted: Submitted,
}

/// What the handles of one store share.
pub(super) struct Shared {
    pub(super) clock: Arc<dyn Clock>,
    guarded: Mutex<Guarded>,
    intake: Intake,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let sinks: Sinks = Arc::new([]);
        let intake = Intake::new(sinks.clone());
        let guarded = Guarded { state: State::default(), sinks, submitted: Submitted::default() };
        Self { clock, guarded: Mutex::new(guarded), intake }
    }

    /// Does one change as a whole. Its signals are sent, and what it dropped is freed, after the lock is.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State, Timestamp, &mut Effects) -> T) -> T {
        let now = self.clock.now();
        self.apply(self.lock(), now, change)
    }

    /// The lock, which others hold for some microseconds. To sleep and be woken takes longer than that.
    fn lock(&self) -> MutexGuard<'_, Guarded> {
        for _ in 0..SPINS {
            if !self.guarded.is_locked()
                && let Some(guarded) = self.guarded.try_lock()
            {
                return guarded;
            }
            std::hint::spin_loop();
        }
        self.guarded.lock()
    }

    /// Stores a new task at `now`, or when the clock says. Most need nothing that the store's lock guards.
    pub(super) fn submit(&self, task: &mut Option<NewTask>, now: Option<Timestamp>) -> Option<Enqueued> {
        let now = now.unwrap_or_else(|| self.clock.now());
        match self.intake.take(task, now) {
            Some(Urgency::None) => {}
            // Whoever holds the lock does it before or after giving it back.
            Some(Urgency::Now) => self.settle(self.guarded.try_lock(), now),
            Some(Urgency::Full) => self.settle(Some(self.lock()), now),
            None => {
                let task = task.take()?;
                return Some(self.apply(self.lock(), now, |state, now, fx| state.enqueue(task, now, fx)));
            }
        }
        Some(Enqueued::Created(TaskStatus::Pending))
    }

    fn apply<T>(
        &self,
        mut guarded: MutexGuard<'_, Guarded>,
        now: Timestamp,
        change: impl FnOnce(&mut State, Timestamp, &mut Effects) -> T,
    ) -> T {
        let Guarded { state, sinks, submitted } = &mut *guarded;
        let mut fx = Effects::told_to(sinks.clone());
        self.intake.exchange(submitted);
        state.sort_in(submitted, &mut fx);
        let now = state.tick(now);
        let answer = change(state, now, &mut fx);
        fx.name_queues(&state.queues);
        fx.tell();
        drop(guarded);
        fx.send();
        if self.intake.is_urgent() {
            self.settle(self.guarded.try_lock(), now);
        }
        answer
    }

    /// Sorts in what was submitted, under the lock if it was free.
    fn settle(&self, guarded: Option<MutexGuard<'_, Guarded>>, now: Timestamp) {
        fn nothing_else(_: &mut State, _: Timestamp, _: &mut Effects) {}
        if let Some(guarded) = guarded {
            self.apply(guarded, now, nothing_else);
        }
    }

    pub(super) fn configure(&self, settings: StoreSettings) {
        self.change(|state, _, fx| {
            state.configure(settings, fx);
            self.intake.set_closed(state.queues.are_bounded());
        });
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
        self.intake.set_sinks(living.clone());
        let before = std::mem::replace(&mut guarded.sinks, living);
        drop(guarded);
        drop(before);
    }
}

/// Whether only the store still holds it.
fn is_dead(sink: &Arc<dyn SignalSink>) -> bool {
    Arc::strong_count(sink) == 1
}
