use std::sync::Arc;

use serde_json::value::RawValue;

use crate::{
    domain::{Name, TaskId, TaskRecord, TaskStatus, Timestamp, Transition},
    ports::{Signal, Watcher},
};

/// What a transaction leads to beyond its answers. Nothing of it is told before the transaction is committed.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Whether anybody wants to know of transitions.
    pub(crate) is_heard: bool,
    pub(crate) transitions: Vec<Transition>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) ready: Vec<(Name, usize)>,
    pub(crate) watchers: Vec<(TaskId, Arc<dyn Watcher>)>,
    pub(crate) ended: Vec<(TaskId, TaskStatus, Option<Arc<RawValue>>)>,
}

/// How much there was before a request, so that what it added can be taken back.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    transitions: usize,
    signals: usize,
    watchers: usize,
    ended: usize,
    ready: Vec<(Name, usize)>,
}

impl Effects {
    /// Tells that `record`, as it now is, went there from `from`.
    pub(crate) fn record(&mut self, record: &TaskRecord, from: Option<TaskStatus>, now: Timestamp) {
        if self.is_heard {
            self.transitions.push(Transition::of(record, from, now));
        }
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        if self.is_heard {
            self.signals.push(signal);
        }
    }

    /// Notes that `count` tasks of a queue became ready; zero asks workers to look again for another reason.
    pub(crate) fn ready(&mut self, queue: &Name, count: usize) {
        match self.ready.iter_mut().find(|(it, _)| it == queue) {
            Some((_, sum)) => *sum += count,
            None => self.ready.push((queue.clone(), count)),
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            transitions: self.transitions.len(),
            signals: self.signals.len(),
            watchers: self.watchers.len(),
            ended: self.ended.len(),
            ready: self.ready.clone(),
        }
    }

    /// Takes back what came after `mark`.
    pub(crate) fn roll_back(&mut self, mark: Mark) {
        self.transitions.truncate(mark.transitions);
        self.signals.truncate(mark.signals);
        self.watchers.truncate(mark.watchers);
        self.ended.truncate(mark.ended);
        self.ready = mark.ready;
    }

    /// Takes back everything.
    pub(crate) fn clear(&mut self) {
        self.transitions.clear();
        self.signals.clear();
        self.watchers.clear();
        self.ended.clear();
        self.ready.clear();
    }
}
