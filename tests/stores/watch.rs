use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use ddd_core::{
    Filter, TaskId, TaskRecord, TaskStatus, TaskStore, Transition,
    domain::{Counts, Fence},
    ports::{Signal, SignalSink, StoreFuture},
};
use parking_lot::Mutex;

/// What a store that answers at once says.
pub(crate) fn now<T>(future: StoreFuture<T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer.unwrap(),
        Poll::Pending => panic!("a store in memory answers at once"),
    }
}

#[derive(Clone, Copy, Default)]
struct Life {
    status: Option<TaskStatus>,
    run: u32,
    fence: Fence,
}

/// Holds each transition against the table, and against the one before it.
#[derive(Default)]
pub(crate) struct Watch {
    lives: Mutex<BTreeMap<TaskId, Life>>,
    /// Runs that ended, each once.
    ended: Mutex<BTreeSet<(TaskId, u32)>>,
}

impl SignalSink for Watch {
    fn record(&self, it: &Transition) -> bool {
        let mut lives = self.lives.lock();
        let life = lives.entry(it.id).or_default();
        assert_eq!(it.from, life.status, "transitions of {} are chained", it.id);
        if let Some(from) = it.from {
            assert!(from.may_become(it.to), "{from} to {}", it.to);
        }
        assert!(it.fence >= life.fence, "fences never shrink");
        if it.to == TaskStatus::Running {
            assert!(it.fence > life.fence, "each claim has a higher fence");
        }
        let is_new_run = it.from.is_none_or(TaskStatus::is_terminal);
        assert_eq!(it.run, life.run + u32::from(is_new_run), "a run begins where one ended");
        if it.is_terminal() {
            assert!(self.ended.lock().insert((it.id, it.run)), "run {} of {} ended once", it.run, it.id);
        }
        *life = Life { status: Some(it.to), run: it.run, fence: it.fence };
        false
    }

    fn signal(&self, _signal: Signal) {}
}

impl Watch {
    /// The transitions led to where the records are, the figures equal the records, and all bounds hold.
    pub(crate) fn check(&self, store: &dyn TaskStore) -> Vec<TaskRecord> {
        let (mut ids, mut cursor) = (Vec::new(), None);
        loop {
            let page = now(store.list(Filter::all(), cursor, usize::MAX - 1));
            ids.extend(page.items.iter().map(|it| it.id));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let records = now(store.get(ids)).into_iter().flatten().collect::<Vec<_>>();
        let lives = self.lives.lock();
        assert_eq!(records.len(), lives.len());
        let (mut all, mut ended) = (Counts::default(), Counts::default());
        let mut by_queue = BTreeMap::<_, Counts>::new();
        let mut by_priority = BTreeMap::<_, Counts>::new();
        let mut permits = BTreeMap::<_, (u32, u32)>::new();
        for it in &records {
            assert_eq!((lives[&it.id].status, lives[&it.id].run), (Some(it.status), it.run));
            all.add(it.status);
            by_queue.entry(it.queue.clone()).or_default().add(it.status);
            by_priority.entry(it.priority.get()).or_default().add(it.status);
            let label = it.label.as_ref();
            if let Some((key, limit)) = label.and_then(|it| Some((it.concurrency_key.clone()?, it.concurrency_limit))) {
                let takes = matches!(it.status, TaskStatus::Pending | TaskStatus::Running) || it.still_running;
                let (taken, limited) = permits.entry(key).or_default();
                *taken += u32::from(takes);
                *limited = limit;
            }
            let is_over = it.status.is_terminal();
            assert_eq!(is_over, self.ended.lock().contains(&(it.id, it.run)));
            assert_eq!(is_over, it.finished_at.is_some());
        }
        for (id, run) in self.ended.lock().iter() {
            assert!(lives[id].run >= *run);
            ended.add(TaskStatus::Success);
        }
        for (key, (taken, limit)) in permits {
            assert!(taken <= limit, "{key}: {taken} of {limit}");
        }
        let statistics = now(store.statistics());
        assert_eq!(statistics.now, all);
        assert_eq!(statistics.priorities, by_priority);
        assert_eq!(
            statistics.queues.into_iter().filter(|(_, it)| it.total() > 0).collect::<BTreeMap<_, _>>(),
            by_queue
        );
        for it in now(store.queues()) {
            assert_eq!(it.counts, by_queue.remove(&it.name).unwrap_or_default());
        }
        assert_eq!(statistics.finished.total(), ended.total());
        assert_eq!(statistics.submitted, records.len() as u64);
        let expected = statistics.tasks.values().map(|it| it.now.total()).sum::<u64>();
        assert_eq!(expected, all.total());
        records
    }

    /// A watch of `store`, which is to be told to it.
    pub(crate) fn attached(store: &dyn TaskStore) -> Arc<Self> {
        let watch = Arc::new(Self::default());
        store.attach(Arc::downgrade(&watch) as std::sync::Weak<dyn SignalSink>);
        watch
    }
}
