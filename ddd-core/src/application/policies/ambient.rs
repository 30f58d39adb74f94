//! What surrounds a call of a function with policies: the time, and whether a test keeps its state apart.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use parking_lot::Mutex;
use tracing::Instrument;

use crate::domain::Moment;

tokio::task_local! {
    static CURRENT: Arc<Isolation>;
}

/// How many isolations there are. While there are none, as in every program that is no test, nobody looks for one.
static ISOLATIONS: AtomicUsize = AtomicUsize::new(0);

/// A process that has just begun finds a year behind it: what others made before has a place in its time. In nanoseconds.
const PAST: u64 = 365 * 24 * 3_600 * 1_000_000_000;

/// States of policies that belong to one test alone, with a clock of its own.
pub(crate) struct Isolation {
    clock: Box<dyn Fn() -> Moment + Send + Sync>,
    /// By the address of the cell, or by the name that several share.
    states: Mutex<HashMap<(StateKey, TypeId), Arc<dyn Any + Send + Sync>>>,
}

/// Whose state it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum StateKey {
    /// The cell at this address.
    Cell(usize),
    /// All cells that name it.
    Shared(&'static str),
}

impl Isolation {
    /// States of their own, under this clock.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub(crate) fn new(clock: impl Fn() -> Moment + Send + Sync + 'static) -> Arc<Self> {
        ISOLATIONS.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self { clock: Box::new(clock), states: Mutex::default() })
    }

    /// Runs `future` with these states. What the policies spawn for it takes them along.
    pub(crate) async fn scope<F: Future>(self: Arc<Self>, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// The isolation that surrounds the caller.
    #[inline]
    pub(crate) fn current() -> Option<Arc<Self>> {
        if ISOLATIONS.load(Ordering::Relaxed) == 0 { None } else { Self::looked_for() }
    }

    #[cold]
    fn looked_for() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    pub(super) fn state<S: Send + Sync + 'static>(&self, key: StateKey, make: impl FnOnce() -> S) -> Arc<S> {
        let key = (key, TypeId::of::<S>());
        if let Some(found) = self.found(&key) {
            return found;
        }
        // Made without the lock: a state may look for another one that it shares. Whoever is first wins.
        let made = Arc::new(make());
        let kept = self.states.lock().entry(key).or_insert_with(|| made.clone()).clone();
        // A type's id is part of the key, so what is kept is of this type.
        kept.downcast().unwrap_or(made)
    }

    fn found<S: Send + Sync + 'static>(&self, key: &(StateKey, TypeId)) -> Option<Arc<S>> {
        self.states.lock().get(key).cloned()?.downcast().ok()
    }
}

impl Drop for Isolation {
    fn drop(&mut self) {
        ISOLATIONS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for Isolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Isolation").field("states", &self.states.lock().len()).finish_non_exhaustive()
    }
}

/// What time it is for the policies.
#[inline]
pub(super) fn now() -> Moment {
    static START: OnceLock<Instant> = OnceLock::new();
    if let Some(isolation) = Isolation::current() {
        return (isolation.clock)();
    }
    let elapsed = START.get_or_init(Instant::now).elapsed();
    // In 64 bits: they last for centuries, and 128 cost more than the clock's own arithmetic.
    Moment::from_nanos(PAST + elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos()))
}

/// A future that is to run in a task of its own, with what surrounds the caller: a test's own states, and the span.
pub(crate) fn carried<F: Future + Send>(future: F) -> impl Future<Output = F::Output> + Send {
    let isolation = Isolation::current();
    let future = future.instrument(tracing::Span::current());
    async move {
        match isolation {
            Some(isolation) => isolation.scope(future).await,
            None => future.await,
        }
    }
}

/// The state that all cells of this name share, one for each type; `make` makes it for the first of them.
pub(super) fn shared<S: Send + Sync + 'static>(name: &'static str, make: impl FnOnce() -> S) -> Arc<S> {
    static PROCESS: OnceLock<Isolation> = OnceLock::new();
    if let Some(isolation) = Isolation::current() {
        return isolation.state(StateKey::Shared(name), make);
    }
    // Not counted as an isolation: it is what there is without one.
    let process = PROCESS.get_or_init(|| Isolation { clock: Box::new(now), states: Mutex::default() });
    process.state(StateKey::Shared(name), make)
}
