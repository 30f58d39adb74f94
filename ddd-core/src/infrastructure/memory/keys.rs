use std::collections::{BTreeMap, HashMap};

use super::entry::DueOrder;
use crate::domain::{Label, Rank, TaskId, Timestamp, Until};

/// Who holds which unique key.
#[derive(Debug, Default)]
pub(super) struct Uniques {
    holders: HashMap<String, Holder>,
    /// When holders of limited time expire.
    expiries: BTreeMap<DueOrder, String>,
}

#[derive(Debug)]
struct Holder {
    id: TaskId,
    seq: u64,
    /// `None` until the run ends.
    until: Option<Timestamp>,
}

impl Uniques {
    pub(super) fn holder(&self, key: &str, now: Timestamp) -> Option<TaskId> {
        let holder = self.holders.get(key)?;
        holder.until.is_none_or(|it| it > now).then_some(holder.id)
    }

    /// Takes a key that is free.
    pub(super) fn take(&mut self, key: &str, until: Until, id: TaskId, seq: u64, now: Timestamp) {
        let until = match until {
            Until::Elapsed(duration) => Some(now.after(duration)),
            Until::Finished => None,
        };
        if let Some(until) = until {
            self.expiries.insert((until, seq), key.to_owned());
        }
        let before = self.holders.insert(key.to_owned(), Holder { id, seq, until });
        if let Some(Holder { seq, until: Some(until), .. }) = before {
            self.expiries.remove(&(until, seq));
        }
    }

    /// The run of `id` ended.
    pub(super) fn free(&mut self, key: &str, id: TaskId) {
        if self.holders.get(key).is_some_and(|it| it.id == id && it.until.is_none()) {
            self.holders.remove(key);
        }
    }

    /// Forgets at most `max` keys whose time is over; whether there are more.
    pub(super) fn expire(&mut self, now: Timestamp, max: usize) -> bool {
        for _ in 0..max {
            match self.expiries.first_entry() {
                Some(first) if first.key().0 <= now => {
                    let key = first.remove();
                    self.holders.remove(&key);
                }
                _ => return false,
            }
        }
        self.expiries.first_key_value().is_some_and(|((until, _), _)| *until <= now)
    }
}

/// Who holds, and who waits for, the permits of each concurrency key.
#[derive(Debug, Default)]
pub(super) struct Permits {
    keys: HashMap<String, Permit>,
}

#[derive(Debug, Default)]
struct Permit {
    taken: u32,
    waiting: BTreeMap<(Rank, u64), u32>,
}

/// How many tasks of its key may be ready or running, as `label` says.
fn limit(label: &Label) -> u32 {
    label.concurrency_limit.max(1)
}

impl Permits {
    pub(super) fn is_free(&self, label: &Label) -> bool {
        let permit = label.concurrency_key.as_ref().and_then(|it| self.keys.get(it));
        permit.is_none_or(|it| it.taken < limit(label))
    }

    /// Takes a permit, if one is free.
    pub(super) fn take(&mut self, label: &Label) -> bool {
        let Some(key) = &label.concurrency_key else { return true };
        if !self.is_free(label) {
            return false;
        }
        match self.keys.get_mut(key) {
            Some(permit) => permit.taken += 1,
            None => {
                self.keys.insert(key.clone(), Permit { taken: 1, waiting: BTreeMap::new() });
            }
        }
        true
    }

    pub(super) fn give_back(&mut self, key: &str) {
        if let Some(permit) = self.keys.get_mut(key) {
            permit.taken = permit.taken.saturating_sub(1);
        }
        self.forget_unused(key);
    }

    pub(super) fn wait(&mut self, key: &str, order: (Rank, u64), entry: u32) {
        if let Some(permit) = self.keys.get_mut(key) {
            permit.waiting.insert(order, entry);
        } else {
            self.keys.insert(key.to_owned(), Permit { taken: 0, waiting: BTreeMap::from([(order, entry)]) });
        }
    }

    pub(super) fn stop_waiting(&mut self, key: &str, order: (Rank, u64)) {
        if let Some(permit) = self.keys.get_mut(key) {
            permit.waiting.remove(&order);
        }
        self.forget_unused(key);
    }

    /// The first that waits for `key`.
    pub(super) fn first_waiting(&self, key: &str) -> Option<u32> {
        self.keys.get(key)?.waiting.first_key_value().map(|(_, entry)| *entry)
    }

    /// Orders those who wait anew, because ranks changed.
    pub(super) fn reorder(&mut self, rank_of: impl Fn(u32) -> (Rank, u64)) {
        for permit in self.keys.values_mut() {
            permit.waiting = permit.waiting.values().map(|entry| (rank_of(*entry), *entry)).collect();
        }
    }

    fn forget_unused(&mut self, key: &str) {
        if self.keys.get(key).is_some_and(|it| it.taken == 0 && it.waiting.is_empty()) {
            self.keys.remove(key);
        }
    }
}
