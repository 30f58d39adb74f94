use std::{collections::BTreeMap, time::Duration};

use super::{history::Past, state::State};
use crate::{
    domain::{
        Cursor, Durations, Filter, Name, Priority, Statistics, TaskId, TaskRecord, TaskStatistics, TaskStatus,
        Timestamp,
    },
    ports::{QueueState, WorkerState},
};

/// What is looked through before others get their turn.
const SCANNED_AT_ONCE: usize = 2_048;

impl State {
    pub(super) fn get(&mut self, id: TaskId, now: Timestamp) -> Option<TaskRecord> {
        let key = self.entries.find(id)?;
        let entry = self.entries.at(key);
        self.results.touch(entry.result);
        Some(shown(&entry.record, now))
    }

    /// Looks at some records from `cursor` on and adds those that `filter` means to `found`, until there are `wanted`.
    /// Answers with where to go on; `None` at the end.
    pub(super) fn scan(
        &self,
        filter: &Filter,
        cursor: Option<Cursor>,
        wanted: usize,
        now: Timestamp,
        found: &mut Vec<TaskRecord>,
    ) -> Option<Cursor> {
        let mut scanned = 0;
        for entry in self.entries.newest_first(cursor.map(|it| it.0)) {
            scanned += 1;
            if filter.matches(&entry.record) {
                found.push(shown(&entry.record, now));
            }
            if scanned == SCANNED_AT_ONCE || found.len() >= wanted {
                return Some(Cursor(entry.record.id));
            }
        }
        None
    }

    pub(super) fn queue_states(&mut self) -> Vec<QueueState> {
        let entries = &self.entries;
        let state = |it: &mut super::queues::Queue| {
            QueueState::new(it.name.clone(), it.settings, it.paused, it.counts, it.lanes.oldest_due(entries))
        };
        let mut states = self.queues.iter_mut().map(state).collect::<Vec<_>>();
        states.sort_by(|a, b| a.name.cmp(&b.name));
        states
    }

    pub(super) fn worker_states(&self, now: Timestamp) -> Vec<WorkerState> {
        let mut states = self.workers.states(now);
        for key in &self.running {
            let worker = self.entries.at(*key).record.worker;
            if let Some(state) = states.iter_mut().find(|it| Some(it.id) == worker) {
                state.running += 1;
            }
        }
        states
    }

    /// The figures that are kept, and the runs that those about times are made of.
    pub(super) fn figures(&self, now: Timestamp) -> Figures {
        let mut all = Statistics { last_24h: self.recent.last_day(now), ..Statistics::default() };
        all.throughput = self.recent.throughput(now);
        for kind in self.kinds.all() {
            let task = all.tasks.entry(kind.name.clone()).or_default();
            for status in TaskStatus::ALL {
                let (now, finished) = (kind.now.get(status), kind.finished.get(status));
                task.now.add_many(status, now);
                all.now.add_many(status, now);
                task.finished.add_many(status, finished);
                all.finished.add_many(status, finished);
            }
            task.submitted += kind.submitted;
            task.retried += kind.retried;
            all.submitted += kind.submitted;
            all.started += kind.started;
            all.retried += kind.retried;
        }
        let priorities = (Priority::MIN.get()..=Priority::MAX.get()).zip(self.priorities);
        all.priorities = priorities.filter(|(_, counts)| counts.total() > 0).collect();
        all.queues = self.queues.iter().map(|it| (it.name.clone(), it.counts)).collect();
        let finished = all.finished.total();
        if finished > 0 {
            all.success_rate = Some(all.finished.get(TaskStatus::Success) as f64 / finished as f64);
        }
        let names = self.kinds.all().iter().map(|it| it.name.clone()).collect();
        let past = self.done.iter().chain(self.failed.iter()).copied().collect();
        Figures { all, names, past }
    }
}

/// Statistics that still lack the figures about times, which are not worth a lock.
#[derive(Debug)]
pub(super) struct Figures {
    all: Statistics,
    names: Vec<Name>,
    past: Vec<Past>,
}

impl Figures {
    pub(super) fn complete(self) -> Statistics {
        let Self { mut all, names, past } = self;
        let mut by_name = BTreeMap::<&Name, Vec<Duration>>::new();
        for it in &past {
            if let (Some(ran), Some(name)) = (it.ran, names.get(it.kind as usize)) {
                by_name.entry(name).or_default().push(ran);
            }
        }
        for (name, times) in by_name {
            if let Some(TaskStatistics { run_time, .. }) = all.tasks.get_mut(name) {
                *run_time = Durations::of(times);
            }
        }
        all.run_time = Durations::of(past.iter().filter_map(|it| it.ran).collect());
        all.wait_time = Durations::of(past.iter().filter_map(|it| it.waited).collect());
        all
    }
}

/// A record as it is shown at `now`: an expired result is gone, even if upkeep has not met it yet.
fn shown(record: &TaskRecord, now: Timestamp) -> TaskRecord {
    let mut record = record.clone();
    if record.result_until.is_some_and(|it| it <= now) {
        record.result = None;
    }
    record
}
