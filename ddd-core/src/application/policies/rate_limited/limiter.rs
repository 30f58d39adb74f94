//! The state of one rate limit.

use std::{
    fmt::{self, Debug, Write},
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

use super::{
    super::{ambient::now, counters::Counters},
    gate::Gate,
    no_room::NoRoom,
    queue::Queue,
    table::{Near, Table},
};
use crate::domain::{Exceeded, LimitKey, LimitPlan, LimitState, Moment, RateLimitedSettings, nanos};

/// So much of a key's text is kept, in bytes.
const LONGEST_TEXT: usize = 64;

/// Calls that passed.
pub(super) const ALLOWED: usize = 0;
/// Calls that did not.
pub(super) const REFUSED: usize = 1;
/// Calls that the shared store did not answer.
pub(super) const UNANSWERED: usize = 2;

/// What a rate limit knows.
pub(super) struct Limiter {
    effective: Mutex<Arc<RateLimitedSettings>>,
    /// The same as in the settings, in nanoseconds, where every call can read it.
    wait: AtomicU64,
    /// For calls without a key.
    gate: Gate,
    /// For calls with one, made at the first of them.
    table: OnceLock<Table>,
    pub(super) queue: Queue,
    /// [`ALLOWED`], [`REFUSED`] and [`UNANSWERED`] calls.
    pub(super) calls: Counters<3>,
    /// Whether the shared store did not answer the last call.
    pub(super) is_store_away: AtomicBool,
}

impl Limiter {
    pub(super) fn new(settings: RateLimitedSettings) -> Self {
        Self {
            wait: AtomicU64::new(nanos(settings.wait)),
            gate: Gate::new(LimitPlan::new(&settings)),
            table: OnceLock::new(),
            queue: Queue::default(),
            calls: Counters::default(),
            is_store_away: AtomicBool::new(false),
            effective: Mutex::new(Arc::new(settings)),
        }
    }

    /// Takes `cost` for `key`, or nothing: then it says in how long there is room.
    #[inline]
    pub(super) fn take(&self, key: Option<LimitKey>, text: &dyn Debug, cost: u32) -> Result<(), NoRoom> {
        self.take_at(now(), key, text, cost)
    }

    /// The same, at this moment.
    #[inline]
    pub(super) fn take_at(
        &self,
        now: Moment,
        key: Option<LimitKey>,
        text: &dyn Debug,
        cost: u32,
    ) -> Result<(), NoRoom> {
        if cost == 0 {
            return Ok(());
        }
        let taken = match key {
            None => self.gate.take(cost, now),
            Some(key) => self.take_for(key, text, cost, now),
        };
        taken.map_err(|it| NoRoom::at(it, now))
    }

    /// How long a call waits.
    #[inline]
    pub(super) fn wait(&self) -> Duration {
        Duration::from_nanos(self.wait.load(Ordering::Relaxed))
    }

    pub(super) fn effective(&self) -> Arc<RateLimitedSettings> {
        self.effective.lock().clone()
    }

    /// Changes the settings to what `change` makes of them; whoever waits asks again.
    ///
    /// # Errors
    /// Those of `change`.
    pub(super) fn change<E>(
        &self,
        change: impl FnOnce(&RateLimitedSettings) -> Result<RateLimitedSettings, E>,
    ) -> Result<(), E> {
        // Held to the end, so that of two changes the later one wins everywhere.
        let mut effective = self.effective.lock();
        let settings = change(&effective)?;
        let (plan, now) = (LimitPlan::new(&settings), now());
        if let Some(table) = self.table.get() {
            table.adopt(&plan, settings.capacity, now);
        }
        self.gate.adopt(plan, now);
        self.wait.store(nanos(settings.wait), Ordering::Relaxed);
        *effective = Arc::new(settings);
        drop(effective);
        self.queue.wake();
        Ok(())
    }

    /// Nothing is used any more.
    pub(super) fn clear(&self) {
        self.gate.clear(now());
        if let Some(table) = self.table.get() {
            table.clear();
        }
        self.queue.wake();
    }

    /// How the limit of a key stands, or the one for calls without a key.
    pub(super) fn state(&self, key: Option<LimitKey>) -> LimitState {
        let now = now();
        match key {
            None => self.gate.state(now),
            Some(key) => self.table.get().unwrap_or_else(|| self.new_table()).state(key, now),
        }
    }

    /// Gives back what was taken; whoever waits asks again.
    pub(super) fn give_back(&self, key: Option<LimitKey>, cost: u32) {
        match (key, self.table.get()) {
            (None, _) => self.gate.give_back(cost, now()),
            (Some(key), Some(table)) => table.give_back(key, cost, now()),
            (Some(_), None) => {}
        }
        self.queue.wake();
    }

    /// Forgets what was used; whoever waits asks again.
    pub(super) fn forget(&self, key: Option<LimitKey>) {
        match (key, self.table.get()) {
            (None, _) => self.gate.clear(now()),
            (Some(key), Some(table)) => table.forget(key),
            (Some(_), None) => {}
        }
        self.queue.wake();
    }

    /// How many keys are in use, how many were forgotten in use, and which have used most of their limit.
    pub(super) fn keys(&self, nearest: usize) -> (usize, u64, Vec<Near>) {
        let Some(table) = self.table.get() else { return (0, 0, Vec::new()) };
        let now = now();
        let (in_use, forgotten) = table.counts(now);
        (in_use, forgotten, table.nearest(nearest, now))
    }

    /// How much of the limit for calls without a key is used, in thousandths.
    pub(super) fn share(&self) -> u32 {
        self.gate.share(now())
    }

    pub(super) fn reset_figures(&self) {
        self.calls.reset();
        if let Some(table) = self.table.get() {
            table.reset_counts();
        }
    }

    fn take_for(&self, key: LimitKey, text: &dyn Debug, cost: u32, now: Moment) -> Result<(), Exceeded> {
        let table = self.table.get().unwrap_or_else(|| self.new_table());
        let answer = table.take(key, cost, now);
        if answer.wants_text {
            // Here no lock is held: the key's own code writes it.
            table.note(key, text_of(text));
        }
        answer.taken
    }

    #[cold]
    fn new_table(&self) -> &Table {
        let settings = self.effective();
        let table = self.table.get_or_init(|| Table::new(&LimitPlan::new(&settings), settings.capacity));
        let effective = self.effective.lock();
        if !Arc::ptr_eq(&effective, &settings) {
            // A change that came in between saw no table.
            table.adopt(&LimitPlan::new(&effective), effective.capacity, now());
        }
        table
    }
}

impl Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("effective", &self.effective).finish_non_exhaustive()
    }
}

/// What stands for a key in this process. A type without values to tell apart is no key.
#[inline]
pub(super) fn local_key<K: Hash>(key: &K) -> Option<LimitKey> {
    static SECRET: OnceLock<(u64, u64)> = OnceLock::new();
    if size_of::<K>() == 0 {
        return None;
    }
    let secret = SECRET.get_or_init(|| (RandomState::new().hash_one(0), RandomState::new().hash_one(1)));
    Some(LimitKey::of(*secret, key))
}

/// What stands for a key in all processes.
pub(super) fn shared_key<K: Hash>(key: &K) -> Option<LimitKey> {
    (size_of::<K>() > 0).then(|| LimitKey::of((0, 0), key))
}

/// The beginning of what the key's `Debug` writes.
pub(super) fn text_of(key: &dyn Debug) -> Box<str> {
    struct Beginning(String);

    impl Write for Beginning {
        fn write_str(&mut self, more: &str) -> fmt::Result {
            let room = LONGEST_TEXT.saturating_sub(self.0.len());
            if more.len() <= room {
                self.0.push_str(more);
                return Ok(());
            }
            self.0.push_str(&more[..more.floor_char_boundary(room)]);
            self.0.push('…');
            // That is enough: what is longer is not even formatted.
            Err(fmt::Error)
        }
    }

    let mut beginning = Beginning(String::new());
    let _ = write!(beginning, "{key:?}");
    beginning.0.into()
}
