use std::hint::black_box;

use super::{
    arena::Arena,
    entry::{Entry, Remains},
    index::Index,
};
use crate::domain::TaskId;

/// All entries, by a small number and by id.
#[derive(Debug, Default)]
pub(super) struct Entries {
    arena: Arena,
    by_id: Index,
}

impl Entries {
    pub(super) fn find(&self, id: TaskId) -> Option<u32> {
        self.by_id.find(id)
    }

    /// The same, for one of many that are looked for in about the order of their ids.
    pub(super) fn find_next(&mut self, id: TaskId) -> Option<u32> {
        self.by_id.find_next(id)
    }

    pub(super) fn get(&self, key: u32) -> Option<&Entry> {
        self.arena.get(key)
    }

    /// The entry that `key` is known to name.
    #[allow(clippy::expect_used, reason = "a key is kept only as long as its entry")]
    pub(super) fn at(&self, key: u32) -> &Entry {
        self.arena.get(key).expect("a key names an entry")
    }

    /// The entry that `key` is known to name.
    #[allow(clippy::expect_used, reason = "a key is kept only as long as its entry")]
    pub(super) fn at_mut(&mut self, key: u32) -> &mut Entry {
        self.arena.get_mut(key).expect("a key names an entry")
    }

    /// Adds the entry that `make` makes, given its number in the row of ids.
    #[inline(always)]
    pub(super) fn insert(&mut self, id: TaskId, priority: usize, make: impl FnOnce(u32) -> Entry) -> u32 {
        let Self { arena, by_id } = self;
        arena.insert(priority, |key| make(by_id.insert(id, key)))
    }

    pub(super) fn remove(&mut self, key: u32) -> Option<Remains> {
        let entry = self.arena.get(key)?;
        self.by_id.remove(entry.record.id, entry.number);
        if self.by_id.is_sparse() {
            let (mut number, keys) = self.by_id.make_dense();
            for key in keys {
                if let Some(entry) = self.arena.get_mut(key) {
                    entry.number = number;
                }
                number = number.wrapping_add(1);
            }
        }
        self.arena.remove(key)
    }

    /// Gives memory back that a burst left behind.
    pub(super) fn shrink(&mut self) {
        self.arena.shrink();
    }

    /// From the newest id down, those before `cursor` if there is one.
    pub(super) fn newest_first(&self, cursor: Option<TaskId>) -> impl Iterator<Item = &Entry> {
        self.by_id.newest_first(cursor).map(|key| self.at(key))
    }

    /// Whether an item of a lane, by its parts, still stands for an entry.
    pub(super) fn is_live(&self, key: u32, seq: u64, ticket: u32) -> bool {
        self.get(key).is_some_and(|it| it.seq == seq && it.ticket == ticket)
    }

    /// Reads a little of every cache line of these entries and their parameters. The reads do not wait for each other, so
    /// the memory delivers many at a time; the work that follows would ask for one after the other.
    pub(super) fn warm(&self, keys: impl Iterator<Item = u32>) {
        for entry in keys.filter_map(|it| self.get(it)) {
            let record = &entry.record;
            let numbers = record.fence.get() ^ u64::from(record.attempt) ^ entry.seq ^ u64::from(entry.kind);
            let times = record.due.as_micros() ^ record.created_at.as_micros();
            let options = (record.started_at.is_some(), record.lease_until.is_some(), record.worker.is_some());
            let rare = (record.errors.is_some(), record.label.is_some(), record.result_until.is_some());
            black_box((numbers, times, options, rare, record.params.get().as_bytes().first().copied()));
        }
    }
}
