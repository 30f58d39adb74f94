use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{effects::Effects, history::Past, state::State, watchers::Watchers};
use crate::{
    domain::{Durations, Name, Priority, Statistics, TaskId, TaskRecord, TaskStatistics, TaskStatus, Timestamp},
    ports::{QueueState, Watcher, WorkerState},
};

impl State {
    /// Tells `watcher` when the task's run ends, or at once if it has ended.
    pub(super) fn watch(&mut self, id: TaskId, watcher: Arc<dyn Watcher>, now: Timestamp, fx: &mut Effects) {
        let Some(key) = self.entries.find(id) else { return };
        let entry = self.entries.at_mut(key);
        let status = entry.record.status;
        if !status.is_terminal() {
            return entry.watchers.add(watcher);
        }
        // A result that is no longer kept is for the store's own answer to tell.
        if status != TaskStatus::Success || entry.record.result_until.is_none() {
            fx.ended(Watchers::One(watcher), status, None);
        } else if let Some(result) = self.get(id, now).and_then(|it| it.result) {
            fx.ended(Watchers::One(watcher), status, Some(result));
        }
    }

    pub(super) fn get(&mut self, id: TaskId, now: Timestamp) -> Option<TaskRecord> {
        let key = self.entries.find(id)?;
        let entry = self.entries.at(key);
        self.results.touch(entry.result);
        Some(self.shown(self.entries.at(key), now))
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
        for (_, key) in &self.running {
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
