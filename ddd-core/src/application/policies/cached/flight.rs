use std::{
    cell::RefCell,
    collections::HashMap,
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{entry::Entry, hash::Unhashed, shared::Place};
use crate::domain::Refused;

const SHARDS: usize = 16;

/// A fill that runs, and those who wait for it.
pub(super) struct Flight<K, R> {
    /// Where the value goes.
    pub(super) entry: Arc<Entry<K, R>>,
    /// The value that stands in for a failure.
    pub(super) old: Option<Arc<Entry<K, R>>>,
    /// Where the value goes in the store that processes share.
    pub(super) place: Option<Box<Place<R>>>,
    pub(super) end: OnceLock<End<R>>,
    /// Its one permit is the turn to run the body: the leader's until it gives up. Closed at the end.
    pub(super) turn: Semaphore,
    /// How many callers lead it or wait for it. Changes under the shard's lock.
    seats: Mutex<usize>,
}

/// How a fill ended, for those who waited.
pub(super) enum End<R> {
    /// With the entry's value.
    Stored,
    /// With a value that is not stored.
    Apart(R),
    /// With a failure that the old value stands in for.
    Old,
    Refused(Refused),
    Panicked(String),
}

/// The fills that run, by the hash of their key. Several keys may have one hash.
pub(super) struct Flights<K, R>([Shard<K, R>; SHARDS]);

struct Shard<K, R> {
    running: Mutex<Running<K, R>>,
    /// How many have ended: whoever saw none of a key, and no end since, knows that there is no value of it either.
    ended: AtomicU64,
}

type Running<K, R> = HashMap<u64, Vec<Arc<Flight<K, R>>>, Unhashed>;

impl<K, R> Flight<K, R> {
    pub(super) fn new(
        entry: Arc<Entry<K, R>>,
        old: Option<Arc<Entry<K, R>>>,
        place: Option<Box<Place<R>>>,
    ) -> Arc<Self> {
        Arc::new(Self { entry, old, place, end: OnceLock::new(), turn: Semaphore::new(0), seats: Mutex::new(1) })
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Runs a part of the body: a call of the same key in there is recognised by it.
    pub(super) fn lead<T>(&self, part: impl FnOnce() -> T) -> T {
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                LED.with_borrow_mut(Vec::pop);
            }
        }
        LED.with_borrow_mut(|it| it.push(self.address()));
        let _leave = Leave;
        part()
    }

    /// Whether the caller is part of its body: to wait for it would be for ever.
    pub(super) fn is_led_here(&self) -> bool {
        LED.with_borrow(|it| it.contains(&self.address()))
    }
}

thread_local! {
    /// The fills whose bodies this thread is in, outermost first.
    static LED: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

impl<K, R> Flights<K, R> {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Shard { running: Mutex::default(), ended: AtomicU64::new(0) }))
    }

    /// Those of this hash. They are compared outside of the lock: comparing is users' code.
    pub(super) fn of(&self, hash: u64) -> Vec<Arc<Flight<K, R>>> {
        self.shard(hash).running.lock().get(&hash).cloned().unwrap_or_default()
    }

    /// Takes a seat in a flight, if it has not ended.
    pub(super) fn join(&self, flight: &Arc<Flight<K, R>>) -> bool {
        let shard = self.shard(flight.entry.hash).running.lock();
        let runs = shard.get(&flight.entry.hash).is_some_and(|all| all.iter().any(|it| Arc::ptr_eq(it, flight)));
        if runs {
            *flight.seats.lock() += 1;
        }
        runs
    }

    /// Adds a flight, if there are still just those that the caller has `seen`; in place of the one that it `replaces`.
    pub(super) fn begin(
        &self,
        flight: &Arc<Flight<K, R>>,
        seen: &[Arc<Flight<K, R>>],
        replaces: Option<&Arc<Flight<K, R>>>,
    ) -> bool {
        let mut shard = self.shard(flight.entry.hash).running.lock();
        let present = shard.get(&flight.entry.hash).map_or(&[][..], Vec::as_slice);
        if present.len() != seen.len() || !present.iter().zip(seen).all(|(one, other)| Arc::ptr_eq(one, other)) {
            return false;
        }
        let present = shard.entry(flight.entry.hash).or_default();
        match present.iter_mut().find(|it| replaces.is_some_and(|old| Arc::ptr_eq(it, old))) {
            Some(place) => *place = flight.clone(),
            None => present.push(flight.clone()),
        }
        true
    }

    /// How many have ended that might have been of this hash.
    pub(super) fn ended(&self, hash: u64) -> u64 {
        self.shard(hash).ended.load(Ordering::Acquire)
    }

    /// Takes a flight out that has ended.
    pub(super) fn remove(&self, flight: &Arc<Flight<K, R>>) {
        let shard = self.shard(flight.entry.hash);
        let mut running = shard.running.lock();
        Self::remove_from(&mut running, flight);
        shard.ended.fetch_add(1, Ordering::Release);
    }

    /// Gives a seat back. A flight that has not ended and has no seats left is forgotten.
    pub(super) fn leave(&self, flight: &Arc<Flight<K, R>>) {
        if flight.end.get().is_some() {
            return;
        }
        let mut shard = self.shard(flight.entry.hash).running.lock();
        let left = {
            let mut seats = flight.seats.lock();
            *seats -= 1;
            *seats
        };
        if left == 0 {
            Self::remove_from(&mut shard, flight);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|it| it.running.lock().values().map(Vec::len).sum::<usize>()).sum()
    }

    fn remove_from(shard: &mut Running<K, R>, flight: &Arc<Flight<K, R>>) {
        let Some(present) = shard.get_mut(&flight.entry.hash) else { return };
        // The caller holds another reference: nothing is dropped for good here.
        present.retain(|it| !Arc::ptr_eq(it, flight));
        if present.is_empty() {
            shard.remove(&flight.entry.hash);
        }
    }

    fn shard(&self, hash: u64) -> &Shard<K, R> {
        &self.0[(hash >> 48) as usize % SHARDS]
    }
}

impl<K, R> fmt::Debug for Flights<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flights").field("running", &self.len()).finish()
    }
}
