//! What a faulty store does to the hints of the store behind it.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::{
    domain::{TaskId, Transition},
    ports::{Signal, SignalSink},
};

/// Something that a store tells a process without being asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Hint<'a> {
    /// A task's life changed.
    Transition(&'a Transition),
    /// Something is worth a look.
    Signal(&'a Signal),
    /// The end of this task is about to be watched. Asked once, when the watch begins.
    End(TaskId),
}

/// What happens to a hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HintFault {
    /// It arrives.
    None,
    /// It is lost.
    Lost,
    /// It arrives twice.
    Twice,
}

pub(super) type HintPlan = Box<dyn FnMut(Hint<'_>) -> HintFault + Send>;

/// The relays that stand between the store and those whom it tells. The store knows them by weak references only, so they are
/// held here.
pub(super) struct Relays {
    plan: Arc<Mutex<HintPlan>>,
    all: Mutex<Vec<Arc<Relay>>>,
}

impl Default for Relays {
    fn default() -> Self {
        let plan: HintPlan = Box::new(|_| HintFault::None);
        Self { plan: Arc::new(Mutex::new(plan)), all: Mutex::default() }
    }
}

impl Relays {
    pub(super) fn plan(&self, plan: HintPlan) {
        *self.plan.lock() = plan;
    }

    pub(super) fn fault(&self, hint: Hint<'_>) -> HintFault {
        (self.plan.lock())(hint)
    }

    /// A relay before `sink`, to be told in its place.
    pub(super) fn before(&self, sink: Weak<dyn SignalSink>) -> Weak<dyn SignalSink> {
        let relay = Arc::new(Relay { sink, plan: self.plan.clone() });
        let before: Arc<dyn SignalSink> = relay.clone();
        let mut all = self.all.lock();
        all.retain(|it| it.sink.strong_count() > 0);
        all.push(relay);
        Arc::downgrade(&before)
    }
}

struct Relay {
    sink: Weak<dyn SignalSink>,
    plan: Arc<Mutex<HintPlan>>,
}

impl Relay {
    fn times(&self, hint: Hint<'_>) -> usize {
        match (self.plan.lock())(hint) {
            HintFault::None => 1,
            HintFault::Lost => 0,
            HintFault::Twice => 2,
        }
    }
}

impl SignalSink for Relay {
    fn record(&self, transition: &Transition) -> bool {
        let Some(sink) = self.sink.upgrade() else { return false };
        (0..self.times(Hint::Transition(transition)))
            .fold(false, |is_waited_for, _| sink.record(transition) | is_waited_for)
    }

    fn is_waiting(&self) -> bool {
        self.sink.upgrade().is_some_and(|it| it.is_waiting())
    }

    fn is_subscribed(&self) -> bool {
        self.sink.upgrade().is_some_and(|it| it.is_subscribed())
    }

    fn missed(&self, count: u64) {
        if let Some(sink) = self.sink.upgrade() {
            sink.missed(count);
        }
    }

    fn signal(&self, signal: Signal) {
        let Some(sink) = self.sink.upgrade() else { return };
        for _ in 0..self.times(Hint::Signal(&signal)) {
            sink.signal(signal.clone());
        }
    }
}
