use std::collections::BTreeMap;

use slab::Slab;

use super::{
    effects::Effects,
    entries::Entries,
    entry::{DueOrder, PRIORITIES},
    history::{History, Past},
    idempotency::Idempotency,
    keys::{Permits, Uniques},
    kinds::Kinds,
    lanes::Item,
    queues::Queues,
    recent::Recent,
    results::Results,
    workers::Workers,
};
use crate::{
    domain::{Counts, Name, Rank, TaskStatus, Timestamp, WorkerId},
    ports::{ScheduleRecord, StoreSettings},
};

/// So far the clock may seem to go back, because threads read it before they wait for the lock.
const CLOCK_JITTER: std::time::Duration = std::time::Duration::from_millis(100);

/// All that the store holds. A change of a task's status is always [`State::leave`], what else changes, then
/// [`State::arrive`].
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) settings: StoreSettings,
    pub(super) entries: Entries,
    pub(super) queues: Queues,
    pub(super) kinds: Kinds,
    pub(super) priorities: [Counts; PRIORITIES],
    /// The delayed and the retrying.
    pub(super) timers: BTreeMap<DueOrder, u32>,
    pub(super) uniques: Uniques,
    pub(super) idempotency: Idempotency,
    pub(super) permits: Permits,
    /// The parked, by kind.
    pub(super) parked: BTreeMap<u32, BTreeMap<u64, u32>>,
    /// The running, and those whose bodies outlive their run. Taking one out touches no other: that may be at hand on another core.
    pub(super) running: Slab<u32>,
    /// No lease ends before this.
    pub(super) first_lease: Timestamp,
    /// Successful and cancelled runs.
    pub(super) done: History,
    /// Failed and timed-out runs.
    pub(super) failed: History,
    pub(super) results: Results,
    /// No result expires before this.
    pub(super) first_result: Timestamp,
    pub(super) recent: Recent,
    pub(super) workers: Workers,
    /// The worker that empties itself for a task that must run alone, and until when the others leave the task to it.
    pub(super) emptying: Option<(WorkerId, Timestamp)>,
    pub(super) schedules: BTreeMap<Name, ScheduleRecord>,
    last_seq: u64,
    last_tick: Timestamp,
}

impl State {
    /// The time of a change: `now`, but not a little before that of the last change.
    pub(super) fn tick(&mut self, now: Timestamp) -> Timestamp {
        if now >= self.last_tick || self.last_tick.since(now) > CLOCK_JITTER {
            self.last_tick = now;
        }
        self.last_tick
    }

    pub(super) fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }

    /// Takes a task out of where its status keeps it.
    pub(super) fn leave(&mut self, key: u32, fx: &mut Effects) {
        let entry = self.entries.at_mut(key);
        let order = (entry.record.due, entry.seq);
        match entry.record.status {
            _ if entry.occupies() => self.leave_running(key, fx),
            TaskStatus::Pending => {
                entry.ticket = entry.ticket.wrapping_add(1);
                let (queue, lane) = (entry.queue, entry.priority_index());
                self.queues.at_mut(queue).lanes.forget(lane, order, &self.entries);
            }
            TaskStatus::Delayed | TaskStatus::Retrying => {
                self.timers.remove(&order);
            }
            TaskStatus::Blocked => {
                let order = self.rank_of(key);
                if let Some(name) = self.entries.at(key).concurrency_key() {
                    self.permits.stop_waiting(name, order);
                }
            }
            TaskStatus::Parked => {
                let (kind, seq) = (entry.kind, entry.seq);
                if let Some(parked) = self.parked.get_mut(&kind) {
                    parked.remove(&seq);
                    if parked.is_empty() {
                        self.parked.remove(&kind);
                    }
                }
            }
            TaskStatus::Running => {}
            TaskStatus::Success | TaskStatus::Cancelled => self.done.remove(entry.place),
            TaskStatus::Failed | TaskStatus::Timeout => self.failed.remove(entry.place),
        }
    }

    fn leave_running(&mut self, key: u32, fx: &mut Effects) {
        let entry = self.entries.at(key);
        let (place, number) = (entry.place as usize, entry.queue);
        let lingers = entry.record.status.is_terminal();
        self.running.remove(place);
        let queue = self.queues.at_mut(number);
        if lingers {
            queue.lingering -= 1;
        }
        if queue.settings.concurrency.is_some() && queue.ready() > 0 {
            fx.ready(number, 1);
        }
    }

    /// Gives a task its new status, counts it, and puts it where that status keeps it.
    pub(super) fn arrive(&mut self, key: u32, to: TaskStatus, now: Timestamp, fx: &mut Effects) {
        let from = self.become_(key, to, now, fx);
        self.place(key, now, fx);
        let entry = self.entries.at(key);
        if entry.record.label.is_none() {
            return;
        }
        let keeps_permit = matches!(to, TaskStatus::Pending | TaskStatus::Running) || entry.record.still_running;
        if entry.holds_permit && !keeps_permit {
            self.give_permit_back(key, now, fx);
        }
        if to.is_terminal() && !from.is_terminal() && self.entries.at(key).frees_unique {
            let record = &self.entries.at(key).record;
            if let Some(name) = record.label.as_ref().and_then(|it| it.unique_key.as_deref()) {
                self.uniques.free(name, record.id);
            }
        }
    }

    /// Makes a task ready, if its time has come and its key has a permit for it; else it waits for them.
    pub(super) fn arrive_when_ready(&mut self, key: u32, now: Timestamp, fx: &mut Effects) {
        let to = self.status_when_ready(key, now);
        self.arrive(key, to, now, fx);
    }

    /// Where a task goes that waits for nothing but its time and its permit. Takes the permit.
    pub(super) fn status_when_ready(&mut self, key: u32, now: Timestamp) -> TaskStatus {
        let entry = self.entries.at_mut(key);
        if entry.record.due > now {
            return TaskStatus::Delayed;
        }
        let Some(label) = &entry.record.label else { return TaskStatus::Pending };
        if label.concurrency_key.is_none() || entry.holds_permit {
            return TaskStatus::Pending;
        }
        entry.holds_permit = self.permits.take(label);
        if entry.holds_permit { TaskStatus::Pending } else { TaskStatus::Blocked }
    }

    /// The one function that changes a status: by the table, with its figures and its transition.
    fn become_(&mut self, key: u32, to: TaskStatus, now: Timestamp, fx: &mut Effects) -> TaskStatus {
        let entry = self.entries.at_mut(key);
        let from = entry.record.status;
        let legal = from == to || entry.record.status.become_(to).is_ok();
        debug_assert!(legal, "{from} does not become {to}");
        if from == to || !legal {
            return from;
        }
        let entry = self.entries.at(key);
        fx.record(|| self.transition(entry, Some(from), now));
        let entry = self.entries.at_mut(key);
        let (kind, queue, priority) = (entry.kind, entry.queue, entry.priority_index());
        let kind = self.kinds.at_mut(kind);
        for counts in [&mut kind.now, &mut self.queues.at_mut(queue).counts, &mut self.priorities[priority]] {
            counts.remove(from);
            counts.add(to);
        }
        if to.is_terminal() {
            fx.ended(std::mem::take(&mut entry.watchers), to, None);
            kind.finished.add(to);
            self.recent.add(to, now);
        }
        from
    }

    /// Puts a task where its status keeps it.
    pub(super) fn place(&mut self, key: u32, now: Timestamp, fx: &mut Effects) {
        let entry = self.entries.at_mut(key);
        let order = (entry.record.due, entry.seq);
        match entry.record.status {
            status if entry.occupies() => {
                entry.place = self.running.insert(key) as u32;
                if status.is_terminal() {
                    self.queues.at_mut(entry.queue).lingering += 1;
                }
            }
            TaskStatus::Pending => {
                entry.ticket = entry.ticket.wrapping_add(1);
                let item = Item { due: entry.record.due, seq: entry.seq, key, ticket: entry.ticket };
                self.queues.at_mut(entry.queue).lanes.push(entry.priority_index(), item);
                fx.ready(entry.queue, 1);
            }
            TaskStatus::Delayed | TaskStatus::Retrying => {
                if self.timers.first_key_value().is_none_or(|(first, _)| order < *first) {
                    // A worker that sleeps until the next due time has to look again.
                    fx.ready(entry.queue, 0);
                }
                self.timers.insert(order, key);
            }
            TaskStatus::Blocked => {
                let order = self.rank_of(key);
                if let Some(name) = self.entries.at(key).concurrency_key() {
                    self.permits.wait(name, order, key);
                }
            }
            TaskStatus::Parked => {
                self.parked.entry(entry.kind).or_default().insert(entry.seq, key);
            }
            TaskStatus::Running => {}
            status @ (TaskStatus::Success | TaskStatus::Cancelled | TaskStatus::Failed | TaskStatus::Timeout) => {
                let record = &entry.record;
                let past = Past {
                    key,
                    kind: entry.kind,
                    at: record.finished_at.unwrap_or(now),
                    ran: record.duration(),
                    waited: record.started_at.map(|it| it.since(record.due)),
                };
                let is_done = matches!(status, TaskStatus::Success | TaskStatus::Cancelled);
                entry.place = if is_done { self.done.add(past) } else { self.failed.add(past) };
            }
        }
    }

    /// Gives the permit of a task back, and lets in who waits for it.
    pub(super) fn give_permit_back(&mut self, key: u32, now: Timestamp, fx: &mut Effects) {
        let entry = self.entries.at_mut(key);
        entry.holds_permit = false;
        let Some(label) = entry.record.label.take() else { return };
        if let Some(name) = &label.concurrency_key {
            self.permits.give_back(name);
            while let Some(next) = self.permits.first_waiting(name) {
                let waiting = self.entries.at_mut(next);
                let Some(label) = waiting.record.label.as_deref() else { break };
                waiting.holds_permit = self.permits.take(label);
                if !waiting.holds_permit {
                    break;
                }
                self.leave(next, fx);
                self.arrive(next, TaskStatus::Pending, now, fx);
            }
        }
        self.entries.at_mut(key).record.label = Some(label);
    }

    /// The order in which a task is let in by its key.
    pub(super) fn rank_of(&self, key: u32) -> (Rank, u64) {
        rank_of(&self.entries, &self.settings, key)
    }
}

pub(super) fn rank_of(entries: &Entries, settings: &StoreSettings, key: u32) -> (Rank, u64) {
    let entry = entries.at(key);
    (Rank::new(entry.record.due, entry.record.priority, settings.rank_step), entry.seq)
}
