//! Who waits for the end of which task in this process.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
    task::Waker,
};

use parking_lot::Mutex;
use serde_json::value::RawValue;

use crate::domain::TaskId;

/// How a run ended, as far as this process knows without asking the store.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// Well, with this result.
    Success(Option<Arc<RawValue>>),
    /// The store knows how.
    Recorded,
}

/// One handle's place to wait.
#[derive(Debug, Default)]
pub(crate) struct Seat(Mutex<(Option<Ending>, Vec<Waker>)>);

impl Seat {
    /// The ending; or the waker is kept until there is one.
    pub(crate) fn poll(&self, waker: &Waker) -> Option<Ending> {
        let mut seat = self.0.lock();
        if let Some(ending) = &seat.0 {
            return Some(ending.clone());
        }
        if !seat.1.iter().any(|it| it.will_wake(waker)) {
            seat.1.push(waker.clone());
        }
        None
    }

    fn settle(&self, ending: Ending) {
        let wakers = {
            let mut seat = self.0.lock();
            seat.0 = Some(ending);
            std::mem::take(&mut seat.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// The seats of all handles that are alive.
#[derive(Debug, Default)]
pub(crate) struct Waiters([Mutex<Seats>; Self::SHARDS]);

type Seats = HashMap<TaskId, Vec<Arc<Seat>>, BuildHasherDefault<IdHasher>>;

impl Waiters {
    const SHARDS: usize = 16;

    fn shard(&self, id: TaskId) -> &Mutex<Seats> {
        &self.0[usize::try_from(id.as_u128() & (Self::SHARDS as u128 - 1)).unwrap_or_default()]
    }

    /// A seat at the task's end.
    pub(crate) fn seat(&self, id: TaskId) -> Arc<Seat> {
        let seat = Arc::new(Seat::default());
        self.shard(id).lock().entry(id).or_default().push(seat.clone());
        seat
    }

    /// Takes the same seat again, to wait for another end.
    pub(crate) fn seat_again(&self, id: TaskId, seat: &Arc<Seat>) {
        let mut seats = self.shard(id).lock();
        let all = seats.entry(id).or_default();
        if all.iter().all(|it| !Arc::ptr_eq(it, seat)) {
            seat.0.lock().0 = None;
            all.push(seat.clone());
        }
    }

    /// Gives a seat up.
    pub(crate) fn leave(&self, id: TaskId, seat: &Arc<Seat>) {
        let mut seats = self.shard(id).lock();
        if let Some(all) = seats.get_mut(&id) {
            all.retain(|it| !Arc::ptr_eq(it, seat));
            if all.is_empty() {
                seats.remove(&id);
            }
        }
    }

    /// Tells all who wait for this task how it ended.
    pub(crate) fn settle(&self, id: TaskId, ending: &Ending) {
        let seats = self.shard(id).lock().remove(&id);
        for seat in seats.into_iter().flatten() {
            seat.settle(ending.clone());
        }
    }
}

/// Ids are random enough to be their own hash.
#[derive(Clone, Copy, Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // The lower half of an id is the random one; the shard took its lowest bits.
        if let Some(low) = bytes.last_chunk::<8>() {
            self.0 = u64::from_be_bytes(*low).rotate_right(8);
        }
    }
}
