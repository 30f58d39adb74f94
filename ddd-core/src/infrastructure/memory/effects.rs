use std::{cell::Cell, collections::VecDeque, sync::Arc};

use serde_json::value::RawValue;

use super::{entry::Remains, queues::Queues, watchers::Watchers};
use crate::{
    domain::{TaskStatus, Transition},
    ports::{NewTask, Signal, SignalSink},
};

/// The room that is kept for each kind of effect; changes with more are rare.
const MOST_ROOM: usize = 1_024;

thread_local! {
    /// The effects of the last change on this thread, empty but for the room that they took.
    static SPARE: Cell<Option<Box<Effects>>> = const { Cell::new(None) };
}

/// Who is told; all of them at once, so that telling costs one count and no copy.
pub(super) type Sinks = Arc<[Arc<dyn SignalSink>]>;

/// What a change leads to beyond its answer. Transitions are told of at its end, under the lock, so that they come in the order
/// of the changes; signals are sent, and garbage is dropped, when the lock is free again.
///
/// The room that they take is used again: most changes need some, and the allocator would be asked for each.
#[derive(Default)]
pub(super) struct Effects {
    sinks: Option<Sinks>,
    /// Not told yet.
    transitions: VecDeque<Transition>,
    /// Somebody waits for what was recorded.
    is_waited_for: bool,
    signals: Vec<Signal>,
    ended: Vec<Ended>,
    first_ready: Option<(u32, usize)>,
    /// The same, named.
    ready_signal: Option<Signal>,
    more_ready: Vec<(u32, usize)>,
    pub(super) dropped_entries: Vec<Remains>,
    pub(super) dropped_tasks: Vec<NewTask>,
    pub(super) dropped_json: Vec<Arc<RawValue>>,
}

/// The end of a run that someone watches.
struct Ended {
    watchers: Watchers,
    status: TaskStatus,
    result: Option<Arc<RawValue>>,
}

impl Effects {
    /// Effects that are told to `sinks`.
    pub(super) fn told_to(sinks: Sinks) -> Box<Self> {
        let mut this = SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default();
        this.sinks = Some(sinks).filter(|it| !it.is_empty());
        this
    }

    /// Notes whom to tell that a run ended.
    pub(super) fn ended(&mut self, watchers: Watchers, status: TaskStatus, result: Option<Arc<RawValue>>) {
        if !matches!(watchers, Watchers::None) {
            self.ended.push(Ended { watchers, status, result });
        }
    }

    /// Tells of a transition, if anybody listens.
    #[inline(always)]
    pub(super) fn record(&mut self, transition: impl FnOnce() -> Transition) {
        if self.sinks.is_some() {
            self.transitions.push_back(transition());
        }
    }

    /// Tells of the transitions.
    pub(super) fn tell(&mut self) {
        if let Some((last, others)) = self.sinks.as_deref().and_then(<[_]>::split_last)
            && !self.transitions.is_empty()
        {
            let transitions = self.transitions.make_contiguous();
            let is_waited_for = others.iter().fold(false, |it, sink| sink.record_all(transitions) | it);
            self.is_waited_for = last.take_all(&mut self.transitions) | is_waited_for;
        }
        self.transitions.clear();
    }

    pub(super) fn signal(&mut self, signal: Signal) {
        if self.sinks.is_some() {
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
        let signal = |(queue, count)| Signal::Ready { queue: queues.at(queue).name.clone(), count };
        self.ready_signal = self.first_ready.take().map(signal);
        self.signals.extend(self.more_ready.drain(..).map(signal));
    }

    /// Sends the signals and drops what is to be dropped, outside the lock.
    pub(super) fn send(mut self: Box<Self>) {
        for ended in self.ended.drain(..) {
            ended.watchers.tell(ended.status, ended.result);
        }
        let is_waited_for = std::mem::take(&mut self.is_waited_for);
        // Work first: who only looks on can wait.
        for sink in self.sinks.as_deref().unwrap_or_default() {
            self.ready_signal.iter().chain(&self.signals).for_each(|it| sink.signal(it.clone()));
            if is_waited_for {
                sink.signal(Signal::Recorded);
            }
        }
        self.empty();
        // A thread that ends needs no room any more.
        let _ = SPARE.try_with(|it| it.set(Some(self)));
    }

    fn empty(&mut self) {
        fn empty<T>(room: &mut Vec<T>) {
            room.clear();
            room.shrink_to(MOST_ROOM);
        }
        self.sinks = None;
        self.ready_signal = None;
        self.transitions.shrink_to(MOST_ROOM);
        empty(&mut self.signals);
        empty(&mut self.ended);
        empty(&mut self.dropped_entries);
        empty(&mut self.dropped_tasks);
        empty(&mut self.dropped_json);
    }
}
