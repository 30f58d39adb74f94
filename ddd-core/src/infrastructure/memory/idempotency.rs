//! Which submissions were answered before, by their idempotency keys.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::entry::DueOrder;
use crate::{
    domain::{Fingerprint, IdempotencyKey, TaskId, TaskStatus, Timestamp},
    ports::Enqueued,
};

/// The keys that are kept.
#[derive(Debug, Default)]
pub(super) struct Idempotency {
    kept: HashMap<Arc<str>, Kept>,
    /// When they are dropped.
    expiries: BTreeMap<DueOrder, Arc<str>>,
    last_seq: u64,
}

#[derive(Debug)]
struct Kept {
    fingerprint: Option<Fingerprint>,
    id: TaskId,
    status: TaskStatus,
    until: DueOrder,
}

impl Idempotency {
    /// The answer to the submission of `id` under `key`, if the key was used before.
    pub(super) fn find(&self, key: &IdempotencyKey, id: TaskId, now: Timestamp) -> Option<Enqueued> {
        let kept = self.kept.get(&*name(key)).filter(|it| it.until.0 > now)?;
        Some(again(kept.fingerprint == key.fingerprint, kept.id, kept.status, id))
    }

    /// Keeps a key that is not kept yet, at the cost of those that would be dropped soonest if there are more than `max`.
    pub(super) fn keep(&mut self, key: &IdempotencyKey, id: TaskId, status: TaskStatus, now: Timestamp, max: usize) {
        self.last_seq += 1;
        let until = (now.after(key.ttl), self.last_seq);
        let name: Arc<str> = name(key).into();
        let kept = Kept { fingerprint: key.fingerprint, id, status, until };
        if let Some(before) = self.kept.insert(name.clone(), kept) {
            self.expiries.remove(&before.until);
        }
        self.expiries.insert(until, name);
        while self.kept.len() > max {
            let Some((_, soonest)) = self.expiries.pop_first() else { break };
            self.kept.remove(&soonest);
        }
    }

    /// Forgets at most `max` keys whose time is over; whether there are more.
    pub(super) fn expire(&mut self, now: Timestamp, max: usize) -> bool {
        for _ in 0..max {
            match self.expiries.first_entry() {
                Some(first) if first.key().0 <= now => {
                    let name = first.remove();
                    self.kept.remove(&name);
                }
                _ => return false,
            }
        }
        self.expiries.first_key_value().is_some_and(|((until, _), _)| *until <= now)
    }
}

/// Neither part holds a NUL, so no two keys share a name.
fn name(key: &IdempotencyKey) -> String {
    format!("{}\0{}", key.scope, key.key)
}

/// The answer to the submission of `id`, under a key that was used for `first`.
pub(super) fn again(is_same: bool, first: TaskId, status: TaskStatus, id: TaskId) -> Enqueued {
    match is_same {
        false => Enqueued::KeyReused,
        true if first == id => Enqueued::AlreadyCreated,
        true => Enqueued::Replayed { id: first, status },
    }
}
