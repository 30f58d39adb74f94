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

/// How often the lock is looked at before its taker sleeps: for some twenty microseconds.
const SPINS: usize = 1_500;

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

    /// The lock, which others hold for some ten microseconds. To sleep and be woken takes longer than that, and until then a
    /// processor may have nothing to do. The processor is not offered to others in between: the system may take that for leave to
    /// come back to this thread late, when it has the lock.
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
        self.settle_if_urgent(now);
        answer
    }

    /// To be called by whoever gave the lock back: who found it taken left it to them to sort in what was submitted.
    fn settle_if_urgent(&self, now: Timestamp) {
        if self.intake.is_urgent() {
            self.settle(self.guarded.try_lock(), now);
        }
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
        } else {
            self.settle_if_urgent(self.clock.now());
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
        self.settle_if_urgent(self.clock.now());
    }
}

/// Whether only the store still holds it.
fn is_dead(sink: &Arc<dyn SignalSink>) -> bool {
    Arc::strong_count(sink) == 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panics")]

    use std::{
        sync::atomic::{AtomicBool, AtomicUsize, Ordering},
        thread,
        time::Duration,
    };

    use serde_json::value::RawValue;

    use super::*;
    use crate::{
        domain::{Name, TaskId, Transition},
        infrastructure::clock::SystemClock,
        ports::Signal,
    };

    /// Who waits, and is asked by a submission whether they do just while another application comes.
    struct Slow {
        store: Weak<Shared>,
        told: AtomicUsize,
        was_asked: AtomicBool,
    }

    impl SignalSink for Slow {
        fn record(&self, _: &Transition) -> bool {
            self.told.fetch_add(1, Ordering::SeqCst);
            false
        }

        fn is_waiting(&self) -> bool {
            let Some(store) = self.store.upgrade() else { return true };
            if self.was_asked.swap(true, Ordering::SeqCst) {
                return true;
            }
            let none: Weak<dyn SignalSink> = Weak::<Self>::new();
            let attached = store.clone();
            thread::spawn(move || attached.attach(&none));
            // It holds the store's lock then, and waits for that of the intake, which whoever asks holds.
            while !store.guarded.is_locked() {
                thread::yield_now();
            }
            true
        }

        fn signal(&self, _: Signal) {}
    }

    #[test]
    fn a_submission_beside_an_application_that_comes_is_told_at_once() {
        for number in 1..=20 {
            let store = Arc::new(Shared::new(Arc::new(SystemClock)));
            let sink = Arc::new(Slow {
                store: Arc::downgrade(&store),
                told: AtomicUsize::new(0),
                was_asked: AtomicBool::new(false),
            });
            let coming: Arc<dyn SignalSink> = sink.clone();
            store.attach(&Arc::downgrade(&coming));
            let params = RawValue::from_string("{}".to_owned()).unwrap();
            let id = TaskId::from_parts(Timestamp::default(), 0, number);
            let mut task = Some(NewTask::new(id, Name::new("a"), Name::new("b"), params.into()));
            store.submit(&mut task, None);
            // Nobody calls the store any more.
            for _ in 0..2_000 {
                if sink.told.load(Ordering::SeqCst) == 1 {
                    break;
                }
                thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(sink.told.load(Ordering::SeqCst), 1, "submission {number}");
        }
    }
}
