use std::{sync::Arc, time::Duration};

use serde_json::value::RawValue;

use super::{effects::Effects, results::NO_RESULT, state::State};
use crate::{
    domain::{AttemptError, Fence, TaskStatus, Timestamp, Transition, truncated},
    ports::{AttemptEnd, Finish, Finished, Heartbeat, ProgressReport, Signal},
};

impl State {
    pub(super) fn finish_all(
        &mut self,
        finishes: &mut dyn Iterator<Item = Finish>,
        now: Timestamp,
        fx: &mut Effects,
    ) -> Vec<Finished> {
        let mut answers = Vec::with_capacity(finishes.size_hint().0);
        answers.extend(finishes.map(|it| self.finish(it, now, fx)));
        // Twice as many, so that a bound that was lowered is reached again.
        self.prune(2 * answers.len(), now, fx);
        answers
    }

    pub(super) fn finish(&mut self, finish: Finish, now: Timestamp, fx: &mut Effects) -> Finished {
        let Some(key) = self.entries.find_next(finish.id) else { return Finished::Stale };
        let entry = self.entries.at_mut(key);
        let record = &entry.record;
        let is_held = record.status == TaskStatus::Running && record.fence == finish.fence;
        if let AttemptEnd::Stopped = finish.end {
            if record.still_running && record.fence == finish.fence {
                self.stopped(key, now, fx);
                return Finished::Applied(self.entries.at(key).record.status);
            }
            return if is_held { Finished::AlreadyApplied } else { told_again(entry.ended, finish.fence) };
        }
        if !is_held {
            return told_again(entry.ended, finish.fence);
        }
        if let AttemptEnd::Overdue(error) = finish.end {
            if record.still_running {
                return Finished::AlreadyApplied;
            }
            self.note_error(key, error, now);
            self.entries.at_mut(key).record.still_running = true;
            return Finished::Applied(TaskStatus::Running);
        }
        entry.ended = finish.fence;
        self.end(key, finish.end, now, fx);
        Finished::Applied(self.entries.at(key).record.status)
    }

    /// Ends the attempt of a running task.
    fn end(&mut self, key: u32, end: AttemptEnd, now: Timestamp, fx: &mut Effects) {
        self.leave(key, fx);
        let record = &mut self.entries.at_mut(key).record;
        let lease_until = record.lease_until.take();
        record.still_running = false;
        let is_cancelled = record.cancel_requested && !matches!(end, AttemptEnd::Timeout { still_running: true, .. });
        let (to, error, delay) = match end {
            AttemptEnd::Success { .. } if is_cancelled => (TaskStatus::Cancelled, None, None),
            AttemptEnd::Success { result, ttl } => {
                let watchers = std::mem::take(&mut self.entries.at_mut(key).watchers);
                fx.ended(watchers, TaskStatus::Success, result.clone());
                self.keep_result(key, result, ttl, now, fx);
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
            AttemptEnd::Overdue(_) | AttemptEnd::Stopped => return,
        };
        // Who asked for a cancellation gave the reason; it stays the last word.
        if let Some(error) = error
            && !is_cancelled
        {
            self.note_error(key, error, now);
        }
        let to = if is_cancelled { TaskStatus::Cancelled } else { to };
        let entry = self.entries.at_mut(key);
        let record = &mut entry.record;
        if to.is_terminal() {
            record.finished_at = Some(now);
            return self.arrive(key, to, now, fx);
        }
        if matches!(to, TaskStatus::Pending | TaskStatus::Delayed) {
            record.attempt = record.attempt.saturating_sub(1);
            record.started_at = None;
        }
        let Some(delay) = delay else {
            record.fence = record.fence.next();
            return self.arrive(key, TaskStatus::Pending, now, fx);
        };
        record.due = now.after(delay);
        let kind = entry.kind;
        if to == TaskStatus::Retrying {
            self.kinds.at_mut(kind).retried += 1;
        }
        self.arrive(key, to, now, fx);
        if delay.is_zero() {
            self.leave(key, fx);
            self.arrive_when_ready(key, now, fx);
        }
    }

    /// Stores an error of the present attempt.
    pub(super) fn note_error(&mut self, key: u32, mut error: AttemptError, now: Timestamp) {
        let record = &mut self.entries.at_mut(key).record;
        error.run = record.run;
        error.attempt = record.attempt;
        error.at = now;
        error.message = truncated(error.message, self.settings.limits.error);
        record.push_error(error);
    }

    /// A body that ran over its timeout has returned, or is lost with its worker.
    pub(super) fn stopped(&mut self, key: u32, now: Timestamp, fx: &mut Effects) {
        if !self.entries.at(key).record.status.is_terminal() {
            self.entries.at_mut(key).record.still_running = false;
            return;
        }
        self.leave(key, fx);
        let entry = self.entries.at_mut(key);
        entry.record.still_running = false;
        entry.record.lease_until = None;
        let holds_permit = entry.holds_permit;
        self.place(key, now, fx);
        if holds_permit {
            self.give_permit_back(key, now, fx);
        }
    }

    fn keep_result(
        &mut self,
        key: u32,
        result: Option<Arc<RawValue>>,
        ttl: Duration,
        now: Timestamp,
        fx: &mut Effects,
    ) {
        let Some(result) = result else { return };
        if self.settings.results_max == 0 || ttl.is_zero() {
            self.entries.at_mut(key).record.result_until = Some(now);
            return fx.dropped_json.push(result);
        }
        let until = now.after(ttl);
        self.first_result = if self.results.len() == 0 { until } else { self.first_result.min(until) };
        let place = self.results.add(key, result);
        let entry = self.entries.at_mut(key);
        entry.record.result_until = Some(until);
        entry.result = place;
        while self.results.len() > self.settings.results_max {
            let Some(oldest) = self.results.oldest() else { break };
            self.drop_result(oldest, fx);
        }
    }

    pub(super) fn drop_result(&mut self, key: u32, fx: &mut Effects) {
        let entry = self.entries.at_mut(key);
        let place = std::mem::replace(&mut entry.result, NO_RESULT);
        fx.dropped_json.extend(self.results.remove(place));
    }

    pub(super) fn heartbeat(&mut self, heartbeat: &Heartbeat, now: Timestamp) -> Vec<Signal> {
        self.workers.beat(heartbeat.worker, heartbeat.lease, now);
        let mut signals = Vec::new();
        for held in &heartbeat.held {
            let (id, fence) = (held.id, held.fence);
            let Some(key) = self.entries.find(id) else {
                signals.push(Signal::Lost { id, fence });
                continue;
            };
            let entry = self.entries.at_mut(key);
            if entry.occupies() && entry.record.fence == fence {
                entry.record.lease_until = Some(now.after(heartbeat.lease));
                self.first_lease = self.first_lease.min(now.after(heartbeat.lease));
                if entry.record.cancel_requested {
                    signals.push(Signal::Cancel { id, fence });
                }
            } else if entry.ended != fence {
                signals.push(Signal::Lost { id, fence });
            }
        }
        signals
    }

    pub(super) fn progress(&mut self, report: ProgressReport, now: Timestamp, fx: &mut Effects) -> Finished {
        let Some(key) = self.entries.find(report.id) else { return Finished::Stale };
        let record = &mut self.entries.at_mut(key).record;
        if record.status != TaskStatus::Running || record.fence != report.fence {
            return Finished::Stale;
        }
        let mut progress = report.progress;
        progress.message = truncated(progress.message, self.settings.limits.progress);
        record.progress = Some(Box::new(progress.clone()));
        let transition = self.transition(self.entries.at(key), Some(TaskStatus::Running), now);
        fx.record(|| Transition { progress: Some(Arc::new(progress)), ..transition });
        Finished::Applied(TaskStatus::Running)
    }
}

fn told_again(ended: Fence, fence: Fence) -> Finished {
    if ended == fence && fence != Fence::default() { Finished::AlreadyApplied } else { Finished::Stale }
}
