use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;

use super::effects::Effects;
use crate::{
    domain::{TaskId, Transition},
    ports::{Signal, SignalSink, Watcher},
};

/// So many watched tasks are not worth a look for those that nobody waits for.
const FEW: usize = 1_024;

/// Who in this process is told of what a store does.
#[derive(Default)]
pub(crate) struct Told {
    sinks: Mutex<Vec<Weak<dyn SignalSink>>>,
    watchers: Mutex<Watchers>,
}

#[derive(Default)]
struct Watchers {
    of: HashMap<TaskId, Vec<Arc<dyn Watcher>>>,
    /// From so many on, those that nobody but the store holds are looked for.
    swept_at: usize,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Told").finish_non_exhaustive()
    }
}

impl Told {
    pub(crate) fn attach(&self, sink: Weak<dyn SignalSink>) {
        let mut sinks = self.sinks.lock();
        sinks.retain(|it| it.strong_count() > 0);
        sinks.push(sink);
    }

    pub(crate) fn watch(&self, id: TaskId, watcher: Arc<dyn Watcher>) {
        let mut watchers = self.watchers.lock();
        if watchers.of.len() >= watchers.swept_at.max(FEW) {
            watchers.sweep();
        }
        let watching = watchers.of.entry(id).or_default();
        // A submission that is tried again: the two would keep each other.
        if watching.iter().any(|it| Arc::ptr_eq(it, &watcher)) {
            return;
        }
        // Who looks at a task again and again must not fill the memory as long as it waits.
        if watching.len() == watching.capacity() {
            watching.retain(|it| Arc::strong_count(it) > 1);
        }
        watching.push(watcher);
    }

    /// Whether anybody hears of transitions.
    pub(crate) fn is_anyone_there(&self) -> bool {
        self.sinks.lock().iter().any(|it| it.strong_count() > 0)
    }

    /// Tells what a committed transaction led to.
    pub(crate) fn tell(&self, effects: &mut Effects) {
        for (id, watcher) in effects.watchers.drain(..) {
            self.watch(id, watcher);
        }
        for (id, status, result) in effects.ended.drain(..) {
            let watching = self.watchers.lock().of.remove(&id);
            for watcher in watching.into_iter().flatten() {
                watcher.ended(status, result.clone());
            }
        }
        for sink in &self.sinks() {
            let is_waited_for = !effects.transitions.is_empty() && sink.record_all(&effects.transitions);
            for (queue, count) in &effects.ready {
                sink.signal(Signal::Ready { queue: queue.clone(), count: *count });
            }
            effects.signals.iter().for_each(|it| sink.signal(it.clone()));
            if is_waited_for {
                sink.signal(Signal::Recorded);
            }
        }
        effects.clear();
    }

    /// Tells that something may have changed in these queues, by another hand.
    pub(crate) fn nudge(&self, queues: &[crate::domain::Name]) {
        for sink in self.sinks() {
            queues.iter().for_each(|it| sink.signal(Signal::Ready { queue: it.clone(), count: 0 }));
        }
    }

    /// Tells what another process has done.
    pub(crate) fn signal(&self, signal: &Signal) {
        self.sinks().iter().for_each(|it| it.signal(signal.clone()));
    }

    /// Tells those who wait for these tasks that their runs have ended in another process.
    pub(crate) fn ended_elsewhere(&self, ids: &[TaskId]) {
        let watching: Vec<_> = {
            let mut watchers = self.watchers.lock();
            ids.iter().filter_map(|it| watchers.of.remove(it)).flatten().collect()
        };
        watching.iter().for_each(|it| it.look());
    }

    /// Whether anybody has subscribed to transitions.
    pub(crate) fn is_subscribed(&self) -> bool {
        self.sinks().iter().any(|it| it.is_subscribed())
    }

    /// Tells of transitions that another process has made, and of how many more it could not tell.
    pub(crate) fn record(&self, transitions: &[Transition], missed: u64) {
        for sink in self.sinks() {
            if missed > 0 {
                sink.missed(missed);
            }
            if !transitions.is_empty() && sink.record_all(transitions) {
                sink.signal(Signal::Recorded);
            }
        }
    }

    fn sinks(&self) -> Vec<Arc<dyn SignalSink>> {
        self.sinks.lock().iter().filter_map(Weak::upgrade).collect()
    }
}

impl Watchers {
    fn sweep(&mut self) {
        self.of.retain(|_, watching| {
            watching.retain(|it| Arc::strong_count(it) > 1);
            !watching.is_empty()
        });
        if self.of.capacity() > 4 * self.of.len().max(FEW) {
            self.of.shrink_to_fit();
        }
        self.swept_at = 2 * self.of.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{TaskStatus, Timestamp};

    #[derive(Debug)]
    struct Nobody;

    impl Watcher for Nobody {
        fn ended(&self, _: TaskStatus, _: Option<Arc<serde_json::value::RawValue>>) {}
    }

    /// Else nobody could see that only the store holds it.
    #[test]
    fn a_watcher_is_kept_once_however_often_its_task_is_submitted() {
        let (told, watcher) = (Told::default(), Arc::new(Nobody));
        let id = |number| TaskId::from_parts(Timestamp::default(), 0, number);
        (0..3).for_each(|_| told.watch(id(0), watcher.clone()));
        assert_eq!(Arc::strong_count(&watcher), 2);
        let gone = Arc::downgrade(&watcher);
        drop(watcher);
        (1..=FEW as u64).for_each(|it| told.watch(id(it), Arc::new(Nobody)));
        assert_eq!(gone.strong_count(), 0, "nobody waits for it");
    }
}
