//! Which submissions were answered before, by their idempotency keys.

use std::collections::HashMap;

use sqlx::Row as _;

use super::{
    error::Outcome,
    numbers::{code, id_of, status},
    session::Session,
    unique::Uniques,
};
use crate::{
    domain::{Fingerprint, IdempotencyKey, TaskId, TaskStatus, Timestamp},
    ports::{Enqueued, NewTask},
};

/// Neither part holds a NUL, so no two keys share a name.
pub(super) fn key_name(key: &IdempotencyKey) -> String {
    format!("{}\0{}", key.scope, key.key)
}

/// What was said before under the idempotency keys of a batch, which are locked.
#[derive(Debug, Default)]
pub(super) struct Said {
    known: HashMap<String, Kept>,
    /// Those of this transaction.
    new: Vec<(String, Kept, i64)>,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    fingerprint: Option<Fingerprint>,
    id: TaskId,
    status: TaskStatus,
}

impl Said {
    /// The answer to the submission of `id` under `key`, if the key was used before.
    pub(super) fn find(&self, key: &IdempotencyKey, id: TaskId) -> Option<Enqueued> {
        let kept = self.known.get(&key_name(key))?;
        Some(if kept.fingerprint != key.fingerprint {
            Enqueued::KeyReused
        } else if kept.id == id {
            Enqueued::AlreadyCreated
        } else {
            Enqueued::Replayed { id: kept.id, status: kept.status }
        })
    }

    /// Keeps the key of a submission that led to a task.
    pub(super) fn keep(
        &mut self,
        key: &IdempotencyKey,
        id: TaskId,
        answer: &Enqueued,
        uniques: &Uniques,
        now: Timestamp,
    ) {
        let (id, status) = match answer {
            Enqueued::Created(status) => (id, *status),
            Enqueued::Duplicate(holder) => match uniques.status(*holder) {
                Some(status) => (*holder, status),
                None => return,
            },
            _ => return,
        };
        let kept = Kept { fingerprint: key.fingerprint, id, status };
        self.known.insert(key_name(key), kept);
        self.new.push((key_name(key), kept, now.after(key.ttl).as_micros()));
    }
}

impl Session<'_> {
    /// What was said before under the keys of these tasks.
    pub(super) async fn said_before(&mut self, tasks: &[NewTask]) -> Outcome<Said> {
        let names = tasks.iter().filter_map(|it| it.idempotency.as_deref()).map(key_name).collect::<Vec<_>>();
        let mut said = Said::default();
        if names.is_empty() {
            return Ok(said);
        }
        let text = "SELECT key, fingerprint, task, status FROM ddd.idempotency WHERE key = ANY($1) AND until > $2";
        let found = sqlx::query(self.core.texts.of(text))
            .bind(names.iter().map(String::as_bytes).collect::<Vec<_>>())
            .bind(self.now.as_micros())
            .fetch_all(&mut *self.conn)
            .await?;
        for row in found {
            let bits = row.try_get::<Option<Vec<u8>>, _>(1)?.and_then(|it| it.try_into().ok()).map(u128::from_be_bytes);
            let kept = Kept {
                fingerprint: bits.map(Fingerprint::from_bits),
                id: id_of(row.try_get(2)?),
                status: status(row.try_get(3)?)?,
            };
            said.known.insert(String::from_utf8_lossy(row.try_get(0)?).into_owned(), kept);
        }
        Ok(said)
    }

    /// Writes what was said for the first time.
    pub(super) async fn remember(&mut self, said: &Said) -> Outcome<()> {
        if said.new.is_empty() {
            return Ok(());
        }
        let text = "INSERT INTO ddd.idempotency (key, fingerprint, task, status, until) \
                    SELECT * FROM unnest($1::bytea[], $2::bytea[], $3::uuid[], $4::smallint[], $5::bigint[]) \
                    ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, task = excluded.task, \
                    status = excluded.status, until = excluded.until";
        sqlx::query(self.core.texts.of(text))
            .bind(said.new.iter().map(|it| it.0.as_bytes()).collect::<Vec<_>>())
            .bind(
                said.new
                    .iter()
                    .map(|it| it.1.fingerprint.map(|it| it.bits().to_be_bytes().to_vec()))
                    .collect::<Vec<_>>(),
            )
            .bind(said.new.iter().map(|it| *it.1.id.as_uuid()).collect::<Vec<_>>())
            .bind(said.new.iter().map(|it| code(it.1.status)).collect::<Vec<_>>())
            .bind(said.new.iter().map(|it| it.2).collect::<Vec<_>>())
            .execute(&mut *self.conn)
            .await?;
        Ok(())
    }
}
