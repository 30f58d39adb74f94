use super::{
    effects::Effects,
    state::{State, rank_of},
};
use crate::{
    domain::{AttemptError, FailureKind, TaskId, TaskStatus, Timestamp},
    ports::{Declaration, Reaped, Signal, StoreSettings},
};

/// So many of the entries that are to go are read ahead: nobody has touched them for long.
const WARMED: usize = 32;

impl State {
    pub(super) fn configure(&mut self, mut settings: StoreSettings, fx: &mut Effects) {
        for (name, settings) in settings.queues.drain(..) {
            let number = self.queues.intern(&name);
            let queue = self.queues.at_mut(number);
            queue.settings = settings;
            if queue.ready() > 0 {
                fx.ready(number, queue.ready());
            }
        }
        let is_reordered = settings.rank_step != self.settings.rank_step;
        self.settings = settings;
        if is_reordered {
            self.permits.reorder(|key| rank_of(&self.entries, &self.settings, key));
        }
        while self.results.len() > self.settings.results_max {
            let Some(oldest) = self.results.oldest() else { break };
            self.drop_result(oldest, fx);
        }
    }

    pub(super) fn reap(&mut self, max: usize, now: Timestamp, fx: &mut Effects) -> Reaped {
        let mut reaped = Reaped { more: self.promote(max, now, fx), ..Reaped::default() };
        reaped.recovered = self.recover(max, now, &mut reaped.ended, fx);
        let parked = self.park_unknown(max, now, fx);
        reaped.pruned = self.prune(max, now, fx);
        self.drop_expired_results(now, fx);
        reaped.more |= self.uniques.expire(now, max);
        reaped.more |= self.idempotency.expire(now, max);
        reaped.more |= max > 0 && [reaped.recovered, parked, reaped.pruned].contains(&max);
        self.workers.forget_dead(now);
        self.entries.shrink();
        if self.running.is_empty() {
            self.running.shrink_to_fit();
        }
        reaped
    }

    /// Takes tasks back from workers whose lease ran out.
    fn recover(
        &mut self,
        max: usize,
        now: Timestamp,
        ended: &mut Vec<(TaskId, TaskStatus)>,
        fx: &mut Effects,
    ) -> usize {
        if now < self.first_lease {
            return 0;
        }
        let lease_of = |key: &u32| self.entries.at(*key).record.lease_until.unwrap_or(Timestamp::MAX);
        let lost =
            self.running.iter().map(|it| it.1).filter(|it| lease_of(it) <= now).take(max).copied().collect::<Vec<_>>();
        for key in &lost {
            ended.extend(self.recover_one(*key, now, fx).map(|it| (self.entries.at(*key).record.id, it)));
        }
        let lease_of = |key: &u32| self.entries.at(*key).record.lease_until.unwrap_or(Timestamp::MAX);
        self.first_lease = self.running.iter().map(|it| lease_of(it.1)).min().unwrap_or(Timestamp::MAX);
        lost.len()
    }

    /// Takes one task back; answers with the status in which its run ended, if it did.
    fn recover_one(&mut self, key: u32, now: Timestamp, fx: &mut Effects) -> Option<TaskStatus> {
        let record = &self.entries.at(key).record;
        fx.signal(Signal::Lost { id: record.id, fence: record.fence });
        if record.status.is_terminal() {
            self.stopped(key, now, fx);
            return None;
        }
        let held_until = record.worker.zip(record.lease_until);
        let has_died = !held_until.is_some_and(|(id, until)| self.workers.has_beaten_without(id, until));
        self.leave(key, fx);
        let record = &mut self.entries.at_mut(key).record;
        record.still_running = false;
        record.lease_until = None;
        record.crashes += u32::from(has_died);
        let crashes = record.crashes;
        let times = if crashes == 1 { "once".to_owned() } else { format!("{crashes} times") };
        let reason = format!("its worker died {times} while running it");
        if record.cancel_requested {
            record.finished_at = Some(now);
            self.arrive(key, TaskStatus::Cancelled, now, fx);
            return Some(TaskStatus::Cancelled);
        }
        if has_died && crashes >= self.settings.crashes_until_failed {
            record.finished_at = Some(now);
            self.note_error(key, AttemptError::new(FailureKind::Crash, reason), now);
            self.arrive(key, TaskStatus::Failed, now, fx);
            return Some(TaskStatus::Failed);
        }
        if has_died {
            self.note_error(key, AttemptError::new(FailureKind::Crash, reason), now);
        }
        let record = &mut self.entries.at_mut(key).record;
        record.attempt = record.attempt.saturating_sub(1);
        record.started_at = None;
        // It kept its permit, if its key has any.
        self.arrive(key, TaskStatus::Pending, now, fx);
        None
    }

    /// Parks ready tasks that no live worker knows, if any worker lives.
    fn park_unknown(&mut self, max: usize, now: Timestamp, fx: &mut Effects) -> usize {
        if !self.workers.anyone_lives(now) {
            return 0;
        }
        self.workers.learn(&self.kinds);
        let is_unknown = |(kind, it): &(u32, &super::kinds::Kind)| {
            it.now.get(TaskStatus::Pending) > 0 && !self.workers.anyone_knows(*kind, now)
        };
        let unknown = (0..).zip(self.kinds.all()).filter(is_unknown).map(|(kind, _)| kind).collect::<Vec<u32>>();
        if unknown.is_empty() {
            return 0;
        }
        let is_meant = |key: u32| unknown.contains(&self.entries.at(key).kind);
        let mut found = Vec::new();
        for queue in self.queues.iter() {
            found.extend(queue.lanes.find(&self.entries, max - found.len(), is_meant));
        }
        for key in &found {
            self.leave(*key, fx);
            self.arrive(*key, TaskStatus::Parked, now, fx);
        }
        found.len()
    }

    /// Makes a worker known; what was parked for want of it becomes ready.
    pub(super) fn declare(&mut self, declaration: &Declaration, now: Timestamp, fx: &mut Effects) -> Reaped {
        self.workers.declare(declaration, now);
        self.workers.learn(&self.kinds);
        let known = self.parked.iter().filter(|(kind, _)| self.workers.anyone_knows(**kind, now));
        let keys = known.flat_map(|(_, tasks)| tasks.values().copied()).collect::<Vec<_>>();
        for key in keys {
            self.leave(key, fx);
            self.arrive_when_ready(key, now, fx);
        }
        Reaped::default()
    }

    /// Drops at most `max` finished records that are too many or too old.
    pub(super) fn prune(&mut self, max: usize, now: Timestamp, fx: &mut Effects) -> usize {
        let surplus = self.done.len().saturating_sub(self.settings.history_max).min(max);
        if surplus > 1 {
            self.entries.warm(self.done.oldest_keys(surplus.min(WARMED)));
        }
        for pruned in 0..max {
            let settings = &self.settings;
            let surplus = [(&self.done, settings.history_ttl), (&self.failed, settings.failed_ttl)]
                .into_iter()
                .find_map(|(history, ttl)| {
                    let oldest = history.oldest()?;
                    (history.len() > settings.history_max || oldest.at.after(ttl) <= now).then_some(oldest.key)
                });
            match surplus {
                Some(key) => self.remove_finished(key, fx),
                None => return pruned,
            }
        }
        max
    }

    fn drop_expired_results(&mut self, now: Timestamp, fx: &mut Effects) {
        if now < self.first_result {
            return;
        }
        let until = |key: &u32| self.entries.at(*key).record.result_until.unwrap_or(Timestamp::MAX);
        let expired = self.results.keys().filter(|it| until(it) <= now).collect::<Vec<_>>();
        for key in expired {
            self.drop_result(key, fx);
        }
        let until = |key: u32| self.entries.at(key).record.result_until.unwrap_or(Timestamp::MAX);
        self.first_result = self.results.keys().map(until).min().unwrap_or(Timestamp::MAX);
    }
}
