//! Submissions that are said again under an idempotency key.

use super::{idempotency::again, state::State};
use crate::{
    domain::{IdempotencyKey, TaskId, TaskStatus, Timestamp},
    ports::{Enqueued, NewTask},
};

impl State {
    /// Keeps the key of a submission that led to a task.
    pub(super) fn remember(&mut self, key: &IdempotencyKey, id: TaskId, answer: &Enqueued, now: Timestamp) {
        let (id, status) = match answer {
            Enqueued::Created(status) => (id, *status),
            Enqueued::Duplicate(holder) => match self.entries.find(*holder) {
                Some(entry) => (*holder, self.entries.at(entry).record.status),
                None => return,
            },
            _ => return,
        };
        self.idempotency.keep(key, id, status, now, self.settings.idempotency_keys_max);
    }

    /// What would become of `task` after `before`, which are about to be stored, if one of them has its idempotency key.
    pub(super) fn foresee_again(&self, before: &[NewTask], task: &NewTask, now: Timestamp) -> Option<Enqueued> {
        let key = task.idempotency.as_deref()?;
        let has_key =
            |it: &&NewTask| it.idempotency.as_deref().is_some_and(|it| (&it.scope, &it.key) == (&key.scope, &key.key));
        let first = before.iter().find(has_key)?;
        let is_same = first.idempotency.as_deref().is_some_and(|it| it.fingerprint == key.fingerprint);
        let status = match self.foresee(first, 0, now) {
            Enqueued::Created(status) => status,
            _ => TaskStatus::Pending,
        };
        Some(again(is_same, first.id, status, task.id))
    }
}
