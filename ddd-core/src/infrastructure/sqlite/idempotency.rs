//! Which submissions were answered before, by their idempotency keys.

use rusqlite::{OptionalExtension, params};

use super::{
    error::{Outcome, corrupt},
    row::{id_bytes, id_of},
    session::Session,
};
use crate::{
    domain::{Fingerprint, IdempotencyKey, TaskId},
    infrastructure::sql::{status_code, status_of},
    ports::Enqueued,
};

/// Neither part holds a NUL, so no two keys share a name.
fn name(key: &IdempotencyKey) -> String {
    format!("{}\0{}", key.scope, key.key)
}

fn bits(fingerprint: Option<Fingerprint>) -> Option<[u8; 16]> {
    fingerprint.map(|it| it.bits().to_be_bytes())
}

impl Session<'_> {
    /// The answer to the submission of `id` under `key`, if the key was used before.
    pub(super) fn said_before(&self, key: &IdempotencyKey, id: TaskId) -> Outcome<Option<Enqueued>> {
        let mut find = self
            .db
            .prepare_cached("SELECT fingerprint, task, status FROM ddd_idempotency WHERE key = ?1 AND until > ?2")?;
        let kept = find
            .query_row(params![name(key), self.now().as_micros()], |row| {
                Ok((row.get::<_, Option<[u8; 16]>>(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((fingerprint, first, status)) = kept else { return Ok(None) };
        let first = id_of(first);
        let status = status_of(status).ok_or_else(|| corrupt("an idempotency key has a status that is unknown"))?;
        Ok(Some(match fingerprint == bits(key.fingerprint) {
            false => Enqueued::KeyReused,
            true if first == id => Enqueued::AlreadyCreated,
            true => Enqueued::Replayed { id: first, status },
        }))
    }

    /// Keeps the key of a submission that led to a task.
    pub(super) fn remember(&self, key: &IdempotencyKey, id: TaskId, answer: &Enqueued) -> Outcome<()> {
        let (id, status) = match answer {
            Enqueued::Created(status) => (id, *status),
            Enqueued::Duplicate(holder) => match self.status(*holder)? {
                Some(status) => (*holder, status),
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        let mut keep = self.db.prepare_cached(
            "INSERT INTO ddd_idempotency (key, fingerprint, task, status, until) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, task = excluded.task, \
             status = excluded.status, until = excluded.until",
        )?;
        let until = self.now().after(key.ttl);
        keep.execute(params![name(key), bits(key.fingerprint), id_bytes(id), status_code(status), until.as_micros()])?;
        Ok(())
    }
}
