use std::sync::Arc;

use serde_json::value::RawValue;

use super::{entry::Remains, queues::Queues, watchers::Watchers};
use crate::{
    domain::{TaskRecord, TaskStatus, Timestamp, Transition},
    ports::{NewTask, Signal, SignalSink},
};

/// What a change leads to beyond its answer. Transitions are recorded as they happen; signals are sent, and garbage is
/// dropped, when the lock is free again.
#[derive(Default)]
pub(super) struct Effects {
    sinks: Vec<Arc<dyn SignalSink>>,
    /// Somebody waits for what was recorded.
    is_waited_for: bool,
    signals: Vec<Signal>,
    ended: Vec<Ended>,
    first_ready: Option<(u32, usize)>,
    more_ready: Vec<(u32, usize)>,
    pub(super) dropped_entries: Vec<Remains>,
    pub(super) dropped_tasks: Vec<NewTask>,
    pub(super) dropped_results: Vec<Arc<RawValue>>,
}

/// The end of a run that someone watches.
struct Ended {
    watchers: Watchers,
    status: TaskStatus,
    result: Option<Arc<RawValue>>,
}

impl Effects {
    /// Effects that are told to `sinks`.
    pub(super) fn told_to(sinks: Vec<Arc<dyn SignalSink>>) -> Self {
        Self { sinks, ..Self::default() }
    }

    /// Gives the sinks back, and keeps those that are to be told something when the lock is free.
    pub(super) fn give_sinks_back(&mut self) -> Vec<Arc<dyn SignalSink>> {
        let told = if self.is_waited_for || !self.signals.is_empty() { self.sinks.clone() } else { Vec::new() };
        std::mem::replace(&mut self.sinks, told)
    }

    /// Notes whom to tell that a run ended.
    pub(super) fn ended(&mut self, watchers: Watchers, status: TaskStatus, result: Option<Arc<RawValue>>) {
        if !matches!(watchers, Watchers::None) {
            self.ended.push(Ended { watchers, status, result });
        }
    }

    /// Tells that `record`, as it now is, went there from `from`.
    pub(super) fn record(&mut self, record: &TaskRecord, from: Option<TaskStatus>, now: Timestamp) {
        if !self.sinks.is_empty() {
            self.record_transition(&Transition::of(record, from, now));
        }
    }

    pub(super) fn record_transition(&mut self, transition: &Transition) {
        for sink in &self.sinks {
            self.is_waited_for |= sink.record(transition);
        }
    }

    pub(super) fn signal(&mut self, signal: Signal) {
        if !self.sinks.is_empty() {
            self.signals.push(signal);
        }
    }

    /// Notes that `count` tasks of a queue became ready; zero asks workers to look again for another reason.
    pub(super) fn ready(&mut self, queue: u32, count: usize) {
        match &mut self.first_ready {
            None => self.first_ready = Some((queue, count)),
            Some((it, sum)) if *it == queue => *sum += count,
            Some(_) => match self.more_ready.iter_mut().find(|(it, _)| *it == queue) {
                Some((_, sum)) => *sum += count,
                None => self.more_ready.push((queue, count)),
            },
        }
    }

    /// Turns the numbers of queues into signals.
    pub(super) fn name_queues(&mut self, queues: &Queues) {
        if !self.sinks.is_empty() {
            for (queue, count) in self.first_ready.take().into_iter().chain(self.more_ready.drain(..)) {
                self.signals.push(Signal::Ready { queue: queues.at(queue).name.clone(), count });
            }
        }
    }

    /// Sends the signals, outside the lock.
    pub(super) fn send(mut self) {
        for ended in self.ended.drain(..) {
            ended.watchers.tell(ended.status, ended.result);
        }
        for sink in &self.sinks {
            if self.is_waited_for {
                sink.signal(Signal::Recorded);
            }
            self.signals.iter().for_each(|it| sink.signal(it.clone()));
        }
    }
}
