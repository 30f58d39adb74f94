use std::{sync::Arc, time::Duration};

use serde_json::value::RawValue;

use super::{error::Outcome, load::Locked, row::Row, session::Session};
use crate::{
    domain::{Fence, TaskStatus, Transition, truncated},
    ports::{AttemptEnd, Finish, Finished, ProgressReport},
};

impl Session<'_> {
    /// Ends attempts. Rows that are needed are loaded once, for all of them.
    pub(super) async fn finish(&mut self, finishes: Vec<Finish>) -> Outcome<Vec<Finished>> {
        let ids = finishes.iter().map(|it| it.id).collect::<Vec<_>>();
        self.load(&ids, Locked::Wait).await?;
        let missing = ids.iter().copied().filter(|it| !self.rows.contains_key(it)).collect::<Vec<_>>();
        self.load_past(&missing).await?;
        self.find_limited_queues().await?;
        finishes.into_iter().map(|it| self.finish_one(it)).collect()
    }

    fn finish_one(&mut self, finish: Finish) -> Outcome<Finished> {
        let Some(mut row) = self.take(finish.id) else { return Ok(Finished::Stale) };
        let answer = self.finish_row(&mut row, finish)?;
        if matches!(answer, Finished::Applied(_)) {
            self.put(row);
        } else {
            self.put_back(row);
        }
        Ok(answer)
    }

    fn finish_row(&mut self, row: &mut Row, finish: Finish) -> Outcome<Finished> {
        let record = &row.record;
        let is_held = record.status == TaskStatus::Running && record.fence == finish.fence;
        if let AttemptEnd::Stopped = finish.end {
            if record.still_running && record.fence == finish.fence {
                self.stopped(row)?;
                return Ok(Finished::Applied(row.record.status));
            }
            return Ok(if is_held { Finished::AlreadyApplied } else { told_again(row.ended, finish.fence) });
        }
        if !is_held {
            return Ok(told_again(row.ended, finish.fence));
        }
        if let AttemptEnd::Overdue(error) = finish.end {
            if record.still_running {
                return Ok(Finished::AlreadyApplied);
            }
            self.note_error(row, error);
            row.record.still_running = true;
            return Ok(Finished::Applied(TaskStatus::Running));
        }
        row.ended = finish.fence;
        self.end(row, finish.end)?;
        Ok(Finished::Applied(row.record.status))
    }

    /// Ends the attempt of a running task.
    fn end(&mut self, row: &mut Row, end: AttemptEnd) -> Outcome<()> {
        let record = &mut row.record;
        let lease_until = record.lease_until.take();
        record.still_running = false;
        let is_cancelled = record.cancel_requested && !matches!(end, AttemptEnd::Timeout { still_running: true, .. });
        let (to, error, delay) = match end {
            AttemptEnd::Success { .. } if is_cancelled => (TaskStatus::Cancelled, None, None),
            AttemptEnd::Success { result, ttl } => {
                self.keep_result(row, result, ttl);
                (TaskStatus::Success, None, None)
            }
            AttemptEnd::Failed(error) => (TaskStatus::Failed, Some(error), None),
            AttemptEnd::Retry { error, delay } => (TaskStatus::Retrying, Some(error), Some(delay)),
            AttemptEnd::Timeout { error, still_running } => {
                record.still_running = still_running;
                record.lease_until = lease_until.filter(|_| still_running);
                (TaskStatus::Timeout, Some(error), None)
            }
            AttemptEnd::Cancelled(error) => (TaskStatus::Cancelled, Some(error), None),
            AttemptEnd::Snooze { delay } => (TaskStatus::Delayed, None, Some(delay)),
            AttemptEnd::Release => (TaskStatus::Pending, None, None),
            // Both were answered before; the attempt they are about goes on.
            AttemptEnd::Overdue(_) | AttemptEnd::Stopped => return Ok(()),
        };
        // Who asked for a cancellation gave the reason; it stays the last word.
        if let Some(error) = error
            && !is_cancelled
        {
            self.note_error(row, error);
        }
        let to = if is_cancelled { TaskStatus::Cancelled } else { to };
        if row.record.lease_until.is_none() {
            self.vacate(row);
        }
        let record = &mut row.record;
        if to.is_terminal() {
            record.finished_at = Some(self.now);
            return self.arrive(row, to);
        }
        if matches!(to, TaskStatus::Pending | TaskStatus::Delayed) {
            record.attempt = record.attempt.saturating_sub(1);
            record.started_at = None;
        }
        let Some(delay) = delay else {
            record.fence = record.fence.next();
            return self.arrive(row, TaskStatus::Pending);
        };
        record.due = self.now.after(delay);
        self.arrive(row, to)?;
        if delay.is_zero() {
            self.arrive_when_ready(row)?;
        }
        Ok(())
    }

    /// A body that ran over its timeout has returned, or is lost with its worker.
    pub(super) fn stopped(&mut self, row: &mut Row) -> Outcome<()> {
        row.record.still_running = false;
        if !row.record.status.is_terminal() {
            return Ok(());
        }
        row.record.lease_until = None;
        self.vacate(row);
        let status = row.record.status;
        self.settle(row, status)
    }

    fn keep_result(&self, row: &mut Row, result: Option<Arc<RawValue>>, ttl: Duration) {
        let Some(result) = result else { return };
        row.record.result_until = Some(self.now.after(ttl));
        row.record.result = Some(result).filter(|_| !ttl.is_zero());
    }

    /// In a queue that lets only some run, an end makes room.
    pub(super) fn vacate(&mut self, row: &Row) {
        if self.limited.contains(&row.queue) {
            self.fx.ready(&row.record.queue, 1);
        }
    }

    pub(super) async fn progress(&mut self, reports: Vec<ProgressReport>) -> Outcome<Vec<Finished>> {
        let ids = reports.iter().map(|it| it.id).collect::<Vec<_>>();
        self.load_rows(ids, Locked::Wait).await?;
        Ok(reports.into_iter().map(|it| self.report(it)).collect())
    }

    fn report(&mut self, report: ProgressReport) -> Finished {
        let Some(mut row) = self.take(report.id) else { return Finished::Stale };
        if row.record.status != TaskStatus::Running || row.record.fence != report.fence {
            self.put_back(row);
            return Finished::Stale;
        }
        let mut progress = report.progress;
        progress.message = truncated(progress.message, self.settings.limits.progress);
        if self.fx.is_heard {
            let mut transition = Transition::of(&row.record, Some(TaskStatus::Running), self.now);
            transition.progress = Some(Arc::new(progress.clone()));
            self.fx.transitions.push(transition);
        }
        row.record.progress = Some(Box::new(progress));
        self.put(row);
        Finished::Applied(TaskStatus::Running)
    }
}

fn told_again(ended: Fence, fence: Fence) -> Finished {
    if ended == fence && fence != Fence::default() { Finished::AlreadyApplied } else { Finished::Stale }
}
