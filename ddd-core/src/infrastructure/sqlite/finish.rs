use std::{sync::Arc, time::Duration};

use rusqlite::{OptionalExtension, params};
use serde_json::value::RawValue;

use super::{
    error::Outcome,
    row::{Row, id_bytes, number, text},
    session::Session,
    tallies::Place,
};
use crate::{
    domain::{Fence, TaskId, TaskStatus, Timestamp, Transition, truncated},
    infrastructure::sql::{LINGERING, RETRIED, json_text, status_code},
    ports::{AttemptEnd, Finish, Finished, ProgressReport},
};

impl Session<'_> {
    pub(super) fn finish_all(&mut self, finishes: &[Finish]) -> Outcome<Vec<Finished>> {
        finishes.iter().map(|it| self.finish(it)).collect()
    }

    fn finish(&mut self, finish: &Finish) -> Outcome<Finished> {
        if let AttemptEnd::Success { result, ttl } = &finish.end
            && self.succeed(finish, result.as_ref(), *ttl)?
        {
            return Ok(Finished::Applied(TaskStatus::Success));
        }
        let Some(mut row) = self.load(finish.id)? else { return Ok(Finished::Stale) };
        let is_held = row.record.status == TaskStatus::Running && row.record.fence == finish.fence;
        if let AttemptEnd::Stopped = finish.end {
            if row.record.still_running && row.record.fence == finish.fence {
                self.stopped(&mut row)?;
                return Ok(Finished::Applied(row.record.status));
            }
            return Ok(if is_held { Finished::AlreadyApplied } else { told_again(row.ended, finish.fence) });
        }
        if !is_held {
            return Ok(told_again(row.ended, finish.fence));
        }
        if let AttemptEnd::Overdue(error) = &finish.end {
            if row.record.still_running {
                return Ok(Finished::AlreadyApplied);
            }
            self.note_error(&mut row, error.clone());
            row.record.still_running = true;
            row.save(self.db)?;
            return Ok(Finished::Applied(TaskStatus::Running));
        }
        row.ended = finish.fence;
        self.end(&mut row, &finish.end)?;
        Ok(Finished::Applied(row.record.status))
    }

    /// The end that most attempts have, in one statement: a success of a task that nothing else hangs on. `false` if it is none
    /// of that sort, and nothing was done.
    fn succeed(&mut self, finish: &Finish, result: Option<&Arc<RawValue>>, ttl: Duration) -> Outcome<bool> {
        let now = self.now();
        let (kept, until) = kept(result, ttl, now);
        let found = self
            .db
            .prepare_cached(
                "UPDATE ddd_task SET status = 6, ended = fence, lease_until = NULL, finished_at = ?3, result = ?4, \
                 result_until = ?5 WHERE id = ?1 AND status = 5 AND fence = ?2 AND cancel_requested = 0 \
                 AND still_running = 0 AND permit IS NULL AND frees_unique = 0 \
                 RETURNING queue, kind, priority, run, attempt",
            )?
            .query_row(
                params![
                    id_bytes(finish.id),
                    number(finish.fence),
                    now.as_micros(),
                    text(&kept),
                    until.map(Timestamp::as_micros)
                ],
                |row| {
                    let place = Place { queue: row.get(0)?, kind: row.get(1)?, priority: row.get(2)? };
                    Ok((place, row.get(3)?, row.get(4)?))
                },
            )
            .optional()?;
        let Some((place, run, attempt)) = found else { return Ok(false) };
        let tallies = &mut self.memory.tallies;
        tallies.add(place, status_code(TaskStatus::Running), -1);
        tallies.add(place, status_code(TaskStatus::Success), 1);
        tallies.ended(place, TaskStatus::Success, now);
        let to = (TaskStatus::Running, TaskStatus::Success);
        self.transition(finish.id, place, (run, attempt, finish.fence), to)?;
        self.memory.fx.ended.push((finish.id, TaskStatus::Success, result.cloned()));
        self.tell_of_room(place.queue)?;
        Ok(true)
    }

    /// Tells of a transition whose record was not read.
    fn transition(
        &mut self,
        id: TaskId,
        place: Place,
        (run, attempt, fence): (u32, u32, Fence),
        (from, to): (TaskStatus, TaskStatus),
    ) -> Outcome<()> {
        if self.memory.fx.is_heard {
            let name = self.memory.names.kind_name(self.db, place.kind)?.0;
            let (queue, at) = (self.queue_name(place.queue)?, self.now());
            let transition =
                Transition { id, name, queue, run, attempt, fence, from: Some(from), to, at, progress: None };
            self.memory.fx.transitions.push(transition);
        }
        Ok(())
    }

    /// Ends the attempt of a running task.
    fn end(&mut self, row: &mut Row, end: &AttemptEnd) -> Outcome<()> {
        let now = self.now();
        let record = &mut row.record;
        let lease_until = record.lease_until.take();
        record.still_running = false;
        let is_cancelled = record.cancel_requested && !matches!(end, AttemptEnd::Timeout { still_running: true, .. });
        let mut value = None;
        let (to, error, delay) = match end {
            AttemptEnd::Success { .. } if is_cancelled => (TaskStatus::Cancelled, None, None),
            AttemptEnd::Success { result, ttl } => {
                (record.result, record.result_until) = kept(result.as_ref(), *ttl, now);
                value.clone_from(result);
                (TaskStatus::Success, None, None)
            }
            AttemptEnd::Failed(error) => (TaskStatus::Failed, Some(error), None),
            AttemptEnd::Retry { error, delay } => (TaskStatus::Retrying, Some(error), Some(*delay)),
            AttemptEnd::Timeout { error, still_running } => {
                record.still_running = *still_running;
                record.lease_until = lease_until.filter(|_| *still_running);
                (TaskStatus::Timeout, Some(error), None)
            }
            AttemptEnd::Cancelled(error) => (TaskStatus::Cancelled, Some(error), None),
            AttemptEnd::Snooze { delay } => (TaskStatus::Delayed, None, Some(*delay)),
            AttemptEnd::Release => (TaskStatus::Pending, None, None),
            // Both were answered before; the attempt they are about goes on.
            AttemptEnd::Overdue(_) | AttemptEnd::Stopped => return Ok(()),
        };
        // Who asked for a cancellation gave the reason; it stays the last word.
        if let Some(error) = error
            && !is_cancelled
        {
            self.note_error(row, error.clone());
        }
        let to = if is_cancelled { TaskStatus::Cancelled } else { to };
        if to.is_terminal() {
            row.record.finished_at = Some(now);
            self.memory.fx.ended.push((row.record.id, to, value));
            if row.record.still_running {
                self.memory.tallies.add(row.place(), LINGERING, 1);
            }
            self.arrive(row, to)?;
            return self.tell_of_room(row.queue);
        }
        if matches!(to, TaskStatus::Pending | TaskStatus::Delayed) {
            row.record.attempt = row.record.attempt.saturating_sub(1);
            row.record.started_at = None;
        }
        if let Some(delay) = delay {
            row.record.due = now.after(delay);
            if to == TaskStatus::Retrying {
                self.memory.tallies.add(row.place(), RETRIED, 1);
            }
            self.arrive(row, to)?;
            if delay.is_zero() {
                self.arrive_when_ready(row)?;
            }
        } else {
            row.record.fence = row.record.fence.next();
            self.arrive(row, TaskStatus::Pending)?;
        }
        self.tell_of_room(row.queue)
    }

    /// A body that ran over its timeout has returned, or is lost with its worker.
    pub(super) fn stopped(&mut self, row: &mut Row) -> Outcome<()> {
        row.record.still_running = false;
        if !row.record.status.is_terminal() {
            return row.save(self.db);
        }
        row.record.lease_until = None;
        self.vacate(row)?;
        let status = row.record.status;
        self.settle(row, status)
    }

    pub(super) fn progress_all(&mut self, reports: &[ProgressReport]) -> Outcome<Vec<Finished>> {
        reports.iter().map(|it| self.progress(it)).collect()
    }

    fn progress(&mut self, report: &ProgressReport) -> Outcome<Finished> {
        let mut progress = report.progress.clone();
        progress.message = truncated(progress.message, self.memory.settings.limits.progress);
        let found = self
            .db
            .prepare_cached(
                "UPDATE ddd_task SET progress = ?3 WHERE id = ?1 AND status = 5 AND fence = ?2 \
                 RETURNING queue, kind, priority, run, attempt",
            )?
            .query_row(params![id_bytes(report.id), number(report.fence), json_text(&progress)?], |row| {
                let place = Place { queue: row.get(0)?, kind: row.get(1)?, priority: row.get(2)? };
                Ok((place, row.get(3)?, row.get(4)?))
            })
            .optional()?;
        let Some((place, run, attempt)) = found else { return Ok(Finished::Stale) };
        let running = (TaskStatus::Running, TaskStatus::Running);
        self.transition(report.id, place, (run, attempt, report.fence), running)?;
        if self.memory.fx.is_heard
            && let Some(last) = self.memory.fx.transitions.last_mut()
        {
            last.progress = Some(Arc::new(progress));
        }
        Ok(Finished::Applied(TaskStatus::Running))
    }
}

/// What of a result is kept, and until when.
fn kept(result: Option<&Arc<RawValue>>, ttl: Duration, now: Timestamp) -> (Option<Arc<RawValue>>, Option<Timestamp>) {
    (result.filter(|_| !ttl.is_zero()).cloned(), result.map(|_| now.after(ttl)))
}

fn told_again(ended: Fence, fence: Fence) -> Finished {
    if ended == fence && fence != Fence::default() { Finished::AlreadyApplied } else { Finished::Stale }
}
