use std::sync::{Arc, Weak};

use serde_json::value::RawValue;

use super::{entry::Remains, queues::Queues};
use crate::{
    domain::{TaskRecord, TaskStatus, Timestamp, Transition},
    ports::{NewTask, Signal, SignalSink},
};

/// What a change leads to beyond its answer. Transitions are recorded as they happen; signals are sent, and garbage is
/// dropped, when the lock is free again.
#[derive(Default)]
pub(super) struct Effects {
    sink: Option<Arc<dyn SignalSink>>,
    more_sinks: Vec<Arc<dyn SignalSink>>,
    has_recorded: bool,
    signals: Vec<Signal>,
    first_ready: Option<(u32, usize)>,
    more_ready: Vec<(u32, usize)>,
    pub(super) dropped_entries: Vec<Remains>,
    pub(super) dropped_tasks: Vec<NewTask>,
    pub(super) dropped_results: Vec<Arc<RawValue>>,
}

impl Effects {
    /// Effects that are told to those of `sinks` that live; whether all do.
    pub(super) fn told_to(sinks: &[Weak<dyn SignalSink>]) -> (Self, bool) {
        let mut living = sinks.iter().filter_map(Weak::upgrade);
        let fx = Self { sink: living.next(), more_sinks: living.collect(), ..Self::default() };
        let count = usize::from(fx.sink.is_some()) + fx.more_sinks.len();
        (fx, count == sinks.len())
    }

    fn sinks(&self) -> impl Iterator<Item = &Arc<dyn SignalSink>> {
        self.sink.iter().chain(&self.more_sinks)
    }

    /// Tells that `record`, as it now is, went there from `from`.
    pub(super) fn record(&mut self, record: &TaskRecord, from: Option<TaskStatus>, now: Timestamp) {
        if self.sink.is_some() {
            self.record_transition(&Transition::of(record, from, now));
        }
    }

    pub(super) fn record_transition(&mut self, transition: &Transition) {
        self.sinks().for_each(|it| it.record(transition));
        self.has_recorded = true;
    }

    pub(super) fn signal(&mut self, signal: Signal) {
        if self.sink.is_some() {
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
        if self.sink.is_some() {
            for (queue, count) in self.first_ready.take().into_iter().chain(self.more_ready.drain(..)) {
                self.signals.push(Signal::Ready { queue: queues.at(queue).name.clone(), count });
            }
        }
    }

    /// Sends the signals, outside the lock.
    pub(super) fn send(self) {
        for sink in self.sinks() {
            if self.has_recorded {
                sink.signal(Signal::Recorded);
            }
            self.signals.iter().for_each(|it| sink.signal(it.clone()));
        }
    }
}
