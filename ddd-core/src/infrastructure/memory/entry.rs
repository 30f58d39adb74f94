use std::collections::BTreeMap;

use slab::Slab;

use super::results::NO_RESULT;
use crate::domain::{Fence, TaskId, TaskRecord, Timestamp};

/// A record with what only this store needs to know about it.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) record: TaskRecord,
    /// The order of arrival: decides between equal ranks, and is never given twice.
    pub(super) seq: u64,
    /// The last claim that its worker ended; zero before the first.
    pub(super) ended: Fence,
    /// Grows whenever it is put into a lane, so that an item that was left behind there is recognised.
    pub(super) ticket: u32,
    /// Where it is among the running, or in the history.
    pub(super) place: u32,
    pub(super) queue: u32,
    pub(super) kind: u32,
    /// Its place in the list of results, or [`NO_RESULT`].
    pub(super) result: u32,
    /// Whether one of the permits of its concurrency key is taken for it.
    pub(super) holds_permit: bool,
    /// Whether the end of its run frees its unique key.
    pub(super) frees_unique: bool,
}

impl Entry {
    pub(super) const fn new(record: TaskRecord) -> Self {
        Self {
            record,
            seq: 0,
            ended: Fence::new(0),
            ticket: 0,
            place: 0,
            queue: 0,
            kind: 0,
            result: NO_RESULT,
            holds_permit: false,
            frees_unique: false,
        }
    }

    /// Whether it occupies a place among the running: its body runs, or ran over its timeout and was not seen to return.
    pub(super) fn occupies(&self) -> bool {
        self.record.status == crate::domain::TaskStatus::Running || self.record.still_running
    }

    pub(super) fn concurrency_key(&self) -> Option<&str> {
        self.record.label.as_ref()?.concurrency_key.as_deref()
    }

    pub(super) fn priority_index(&self) -> usize {
        priority_index(self.record.priority)
    }
}

/// The index of a priority among all, the least urgent first.
pub(super) fn priority_index(priority: crate::domain::Priority) -> usize {
    usize::from((priority.get() - crate::domain::Priority::MIN.get()).unsigned_abs())
}

/// All entries, by a small number and by id.
#[derive(Debug, Default)]
pub(super) struct Entries {
    slots: Slab<Box<Entry>>,
    by_id: BTreeMap<TaskId, u32>,
}

impl Entries {
    pub(super) fn find(&self, id: TaskId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn get(&self, key: u32) -> Option<&Entry> {
        self.slots.get(key as usize).map(AsRef::as_ref)
    }

    /// The entry that `key` is known to name.
    pub(super) fn at(&self, key: u32) -> &Entry {
        &self.slots[key as usize]
    }

    /// The entry that `key` is known to name.
    pub(super) fn at_mut(&mut self, key: u32) -> &mut Entry {
        &mut self.slots[key as usize]
    }

    #[allow(clippy::cast_possible_truncation, reason = "memory ends long before 2^32 records")]
    pub(super) fn insert(&mut self, entry: Box<Entry>) -> u32 {
        let id = entry.record.id;
        let key = self.slots.insert(entry) as u32;
        self.by_id.insert(id, key);
        key
    }

    pub(super) fn remove(&mut self, key: u32) -> Box<Entry> {
        let entry = self.slots.remove(key as usize);
        self.by_id.remove(&entry.record.id);
        entry
    }

    /// From the newest id down, those before `cursor` if there is one.
    pub(super) fn newest_first(&self, cursor: Option<TaskId>) -> impl Iterator<Item = &Entry> {
        let end = cursor.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.by_id.range((std::ops::Bound::Unbounded, end)).rev().map(|(_, key)| self.at(*key))
    }

    /// Whether an item of a lane, by its parts, still stands for an entry.
    pub(super) fn is_live(&self, key: u32, seq: u64, ticket: u32) -> bool {
        self.get(key).is_some_and(|it| it.seq == seq && it.ticket == ticket)
    }
}

/// When something is due, and in which order among equals.
pub(super) type DueOrder = (Timestamp, u64);
