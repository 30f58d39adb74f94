use std::collections::HashMap;

use sqlx::Row as _;
use uuid::Uuid;

use super::{
    error::Outcome,
    load::Locked,
    numbers::{id_of, micros, size, time},
    row::Row,
    session::Session,
};
use crate::{
    domain::{AttemptError, FailureKind, TaskId, TaskStatus, Timestamp, WorkerId},
    ports::{Reaped, Signal},
};

impl Session<'_> {
    /// Makes at most `max` due tasks ready; whether more are due.
    pub(super) async fn promote(&mut self, max: usize) -> Outcome<bool> {
        let text = "SELECT id FROM ddd.task WHERE status IN (1, 2) AND due <= $1 ORDER BY due, id LIMIT $2";
        let due: Vec<Uuid> = sqlx::query_scalar(self.core.texts.of(text))
            .bind(self.now.as_micros())
            .bind(size(max.saturating_add(1)))
            .fetch_all(&mut *self.conn)
            .await?;
        let has_more = due.len() > max;
        let ids = due.into_iter().take(max).map(id_of).collect::<Vec<_>>();
        if ids.is_empty() {
            return Ok(has_more);
        }
        self.load(&ids, Locked::Skip).await?;
        for id in ids {
            let Some(mut row) = self.take(id) else { continue };
            let waits = matches!(row.record.status, TaskStatus::Delayed | TaskStatus::Retrying);
            if waits && row.record.due <= self.now {
                self.arrive_when_ready(&mut row)?;
                self.put(row);
            } else {
                self.put_back(row);
            }
        }
        Ok(has_more)
    }

    /// Takes at most `max` tasks back from workers whose lease ran out.
    pub(super) async fn recover(&mut self, max: usize, reaped: &mut Reaped) -> Outcome<()> {
        let text = "SELECT id FROM ddd.task WHERE lease_until <= $1 ORDER BY lease_until LIMIT $2";
        let lost: Vec<Uuid> = sqlx::query_scalar(self.core.texts.of(text))
            .bind(self.now.as_micros())
            .bind(size(max))
            .fetch_all(&mut *self.conn)
            .await?;
        if lost.is_empty() {
            return Ok(());
        }
        reaped.more |= lost.len() == max;
        let ids = lost.into_iter().map(id_of).collect::<Vec<_>>();
        self.load(&ids, Locked::Skip).await?;
        self.find_limited_queues().await?;
        let renewed = self.renewed_until(&ids).await?;
        for id in ids {
            let Some(mut row) = self.take(id) else { continue };
            if row.record.lease_until.is_none_or(|it| it > self.now) {
                self.put_back(row);
                continue;
            }
            reaped.ended.extend(self.recover_one(&mut row, &renewed)?.map(|it| (id, it)));
            reaped.recovered += 1;
            self.put(row);
        }
        Ok(())
    }

    /// Takes one task back; answers with the status in which its run ended, if it did.
    fn recover_one(&mut self, row: &mut Row, renewed: &HashMap<WorkerId, Timestamp>) -> Outcome<Option<TaskStatus>> {
        self.fx.signal(Signal::Lost { id: row.record.id, fence: row.record.fence });
        if row.record.status.is_terminal() {
            self.stopped(row)?;
            return Ok(None);
        }
        // A worker that has beaten since, and did not name it, lives and never learned of the claim.
        let held_until = row.record.worker.zip(row.record.lease_until);
        let has_died = held_until.is_none_or(|(id, until)| renewed.get(&id).is_none_or(|it| *it <= until));
        self.vacate(row);
        let record = &mut row.record;
        record.still_running = false;
        record.lease_until = None;
        record.crashes += u32::from(has_died);
        let crashes = record.crashes;
        let times = if crashes == 1 { "once".to_owned() } else { format!("{crashes} times") };
        let reason = format!("its worker died {times} while running it");
        if record.cancel_requested {
            record.finished_at = Some(self.now);
            self.arrive(row, TaskStatus::Cancelled)?;
            return Ok(Some(TaskStatus::Cancelled));
        }
        if has_died {
            self.note_error(row, AttemptError::new(FailureKind::Crash, reason));
        }
        if has_died && crashes >= self.settings.crashes_until_failed {
            row.record.finished_at = Some(self.now);
            self.arrive(row, TaskStatus::Failed)?;
            return Ok(Some(TaskStatus::Failed));
        }
        row.alone = crashes >= self.settings.crashes_until_alone;
        row.record.attempt = row.record.attempt.saturating_sub(1);
        row.record.started_at = None;
        // It kept its permit, if its key has any.
        self.arrive(row, TaskStatus::Pending)?;
        Ok(None)
    }

    /// Until when the workers of these tasks have last renewed what they named.
    async fn renewed_until(&mut self, ids: &[TaskId]) -> Outcome<HashMap<WorkerId, Timestamp>> {
        let workers = ids.iter().filter_map(|id| self.rows.get(id)?.record.worker).map(|it| *it.as_uuid());
        let workers = workers.collect::<Vec<_>>();
        let text = "SELECT id, renewed_until FROM ddd.worker WHERE id = ANY($1)";
        let found = sqlx::query(self.core.texts.of(text)).bind(workers).fetch_all(&mut *self.conn).await?;
        found.iter().map(|row| Ok((row.try_get::<Uuid, _>(0)?.into(), time(row.try_get(1)?)))).collect()
    }

    /// Parks ready tasks that no live worker knows, if any worker lives; how many.
    pub(super) async fn park_unknown(&mut self, max: usize) -> Outcome<usize> {
        let text = "SELECT k.number FROM ddd.kind k \
            WHERE EXISTS (SELECT FROM ddd.worker w WHERE w.alive_until > $1) \
            AND NOT EXISTS (SELECT FROM ddd.known n JOIN ddd.worker w ON w.id = n.worker \
                WHERE n.name = k.name AND n.version >= k.version AND w.alive_until > $1) \
            AND k.number IN (SELECT kind FROM ddd.tally GROUP BY kind HAVING \
                sum(CASE WHEN becomes = 0 THEN n ELSE 0 END - CASE WHEN was = 0 THEN n ELSE 0 END) > 0)";
        let unknown: Vec<i32> =
            sqlx::query_scalar(self.core.texts.of(text)).bind(self.now.as_micros()).fetch_all(&mut *self.conn).await?;
        if unknown.is_empty() {
            return Ok(0);
        }
        let text = "SELECT id FROM ddd.task WHERE status = 0 AND kind = ANY($1) LIMIT $2";
        let found: Vec<Uuid> = sqlx::query_scalar(self.core.texts.of(text))
            .bind(unknown)
            .bind(size(max))
            .fetch_all(&mut *self.conn)
            .await?;
        self.park(&found.into_iter().map(id_of).collect::<Vec<_>>()).await
    }

    /// Lets in who waits for a key that has permits: after a submission in a user's transaction, or a change of a limit.
    pub(super) async fn admit_forgotten(&mut self, max: usize) -> Outcome<()> {
        let text = "SELECT b.concurrency_key FROM (SELECT DISTINCT concurrency_key FROM ddd.task \
                    WHERE status = 3 AND NOT permit) b \
                    WHERE NOT EXISTS (SELECT FROM ddd.task t WHERE t.permit AND t.concurrency_key = b.concurrency_key) LIMIT $1";
        let keys: Vec<Vec<u8>> =
            sqlx::query_scalar(self.core.texts.of(text)).bind(size(max)).fetch_all(&mut *self.conn).await?;
        let keys = keys.iter().map(|it| String::from_utf8_lossy(it).into_owned()).collect::<Vec<_>>();
        let waiting = self.lock_keys(&keys.iter().map(String::as_str).collect::<Vec<_>>(), 1).await?;
        self.load_rows(waiting, Locked::Wait).await?;
        keys.iter().try_for_each(|it| self.admit(it))
    }

    /// Drops at most `max` finished records of each sort that are too old; how many.
    pub(super) async fn prune(&mut self, max: usize) -> Outcome<usize> {
        const DONE: &str = "WITH gone AS (DELETE FROM ddd.history WHERE id = ANY(ARRAY(SELECT id FROM ddd.history \
            WHERE status IN (6, 8) AND finished_at <= $1 ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED)) \
            RETURNING queue, kind, priority, status), tallied AS (INSERT INTO ddd.tally \
            (queue, kind, priority, was, becomes, second, n) SELECT queue, kind, priority, status, -1, $3, count(*) FROM gone \
            GROUP BY queue, kind, priority, status) SELECT count(*) FROM gone";
        const FAILED: &str = "WITH gone AS (DELETE FROM ddd.history WHERE id = ANY(ARRAY(SELECT id FROM ddd.history \
            WHERE status IN (7, 9) AND finished_at <= $1 ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED)) \
            RETURNING queue, kind, priority, status), tallied AS (INSERT INTO ddd.tally \
            (queue, kind, priority, was, becomes, second, n) SELECT queue, kind, priority, status, -1, $3, count(*) FROM gone \
            GROUP BY queue, kind, priority, status) SELECT count(*) FROM gone";
        let mut pruned = 0;
        for (text, ttl) in [(DONE, self.settings.history_ttl), (FAILED, self.settings.failed_ttl)] {
            let gone: i64 = sqlx::query_scalar(self.core.texts.of(text))
                .bind(self.now.as_micros().saturating_sub(micros(ttl)))
                .bind(size(max - pruned))
                .bind(self.now.as_micros().div_euclid(1_000_000))
                .fetch_one(&mut *self.conn)
                .await?;
            pruned += usize::try_from(gone).unwrap_or_default();
        }
        Ok(pruned)
    }

    /// Forgets what is out of date; whether a bound was reached.
    pub(super) async fn expire(&mut self, max: usize) -> Outcome<bool> {
        const TEXTS: [&str; 3] = [
            "UPDATE ddd.history SET result = NULL WHERE id = ANY(ARRAY(SELECT id FROM ddd.history \
             WHERE octet_length(result) > 2000 AND result_until <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
            "DELETE FROM ddd.unique_key WHERE key = ANY(ARRAY(SELECT key FROM ddd.unique_key \
             WHERE until <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
            "DELETE FROM ddd.idempotency WHERE key = ANY(ARRAY(SELECT key FROM ddd.idempotency \
             WHERE until <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))",
        ];
        let mut has_more = false;
        for text in TEXTS {
            let done = sqlx::query(self.core.texts.of(text))
                .bind(self.now.as_micros())
                .bind(size(max))
                .execute(&mut *self.conn)
                .await?;
            has_more |= max > 0 && done.rows_affected() >= max as u64;
        }
        Ok(has_more)
    }
}
