//! What a capable programmer would write by hand for one function: the least that a queue with priorities, a status for
//! each task and an answer for each submission can cost.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
    sync::Arc,
};

use dashmap::DashMap;
use ddd_core::{TaskId, Timestamp};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::{
    ids::{Ids, now},
    protocol::{Engine, WORKERS},
};

/// The queue and its records.
#[derive(Default)]
pub(crate) struct Queue<I> {
    ids: I,
    waiting: Mutex<Waiting>,
    ready: Notify,
    records: DashMap<TaskId, Record>,
}

#[derive(Default)]
struct Waiting {
    submitted: u64,
    heap: BinaryHeap<Entry>,
}

struct Entry {
    priority: i8,
    sequence: Reverse<u64>,
    id: TaskId,
    done: oneshot::Sender<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Pending,
    Running,
    Success,
}

/// What is known of a task.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "the record is there to be looked at by others")]
struct Record {
    status: Status,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

impl<I: Ids> Queue<I> {
    /// Queues one task; its end can be awaited.
    pub(crate) fn submit(&self, priority: i8) -> (TaskId, oneshot::Receiver<()>) {
        let now = now();
        let id = self.ids.next(now);
        let (done, end) = oneshot::channel();
        let record = Record { status: Status::Pending, created_at: now, started_at: None, finished_at: None };
        self.records.insert(id, record);
        {
            let mut waiting = self.waiting.lock();
            waiting.submitted += 1;
            let sequence = Reverse(waiting.submitted);
            waiting.heap.push(Entry { priority, sequence, id, done });
        }
        self.ready.notify_one();
        (id, end)
    }

    /// Whether nothing waits.
    #[allow(dead_code, reason = "the engine's protocols wait for the ends of all tasks")]
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.lock().heap.is_empty()
    }

    /// Runs what is queued, one task after the other, for ever.
    pub(crate) async fn work(&self) {
        loop {
            let next = self.waiting.lock().heap.pop();
            let Some(entry) = next else {
                self.ready.notified().await;
                continue;
            };
            if let Some(mut record) = self.records.get_mut(&entry.id) {
                record.status = Status::Running;
                record.started_at = Some(now());
            }
            noop().await;
            if let Some(mut record) = self.records.get_mut(&entry.id) {
                record.status = Status::Success;
                record.finished_at = Some(now());
            }
            // Whoever submitted it may have stopped listening.
            let _ = entry.done.send(());
        }
    }
}

async fn noop() {}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.priority, self.sequence).cmp(&(other.priority, other.sequence))
    }
}

/// The floor as an engine, with the given generator of identities.
pub(crate) struct Floor<I> {
    queue: Arc<Queue<I>>,
    ends: Vec<oneshot::Receiver<()>>,
}

impl<I: Ids> Engine for Floor<I> {
    async fn new(tasks: usize) -> Self {
        Self { queue: Arc::default(), ends: Vec::with_capacity(tasks) }
    }

    async fn start(&mut self) {
        for _ in 0..WORKERS {
            let queue = self.queue.clone();
            tokio::spawn(async move { queue.work().await });
        }
    }

    async fn submit(&mut self) {
        self.ends.push(self.queue.submit(0).1);
    }

    async fn finish(&mut self) {
        // From the last: it is among the last to end, so the rest is there already, and waiting costs one wake-up in all.
        while let Some(end) = self.ends.pop() {
            end.await.expect("the task ended");
        }
    }
}
