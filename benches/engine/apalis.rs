//! apalis, with each of its backends that keep tasks in memory.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use apalis::prelude::{
    Event, MemorySink, MemoryStorage, MemoryStorageError, ParallelizeExt, Task, TaskBuilder, TaskId, WorkerBuilder,
    WorkerBuilderExt, WorkerError,
};
use apalis_core::backend::dequeue::VecDequeBackend;
use futures_channel::mpsc::{UnboundedSender, unbounded};
use futures_util::{Sink, SinkExt, Stream, StreamExt, future::BoxFuture, lock::Mutex};
use tokio::task::JoinHandle;

use super::protocol::{Engine, WORKERS};

/// One way to set it up.
pub(crate) trait SetUp: 'static {
    /// Where tasks are pushed.
    type Sink: Sink<Task<()>, Error: std::fmt::Debug> + Unpin;

    /// The task of one submission.
    fn task() -> Task<()> {
        TaskBuilder::new(()).build()
    }

    /// Where to push, and a worker that runs until so many tasks have succeeded.
    fn set_up(tasks: usize) -> (Self::Sink, BoxFuture<'static, ()>);
}

/// `MemoryStorage`, an unbounded channel, and one worker that runs the bodies in place.
pub(crate) struct Memory;

/// The same, each body spawned, as in the README of apalis.
pub(crate) struct MemorySpawned;

/// `VecDequeBackend`, a queue behind a mutex, and one worker that runs the bodies in place. (More than one would end when
/// they race for the last task.)
pub(crate) struct VecDeque;

/// The same, each body spawned.
pub(crate) struct VecDequeSpawned;

impl SetUp for Memory {
    type Sink = MemorySink<()>;

    fn set_up(tasks: usize) -> (Self::Sink, BoxFuture<'static, ()>) {
        let (sink, storage) = memory();
        let worker = WorkerBuilder::new("bench").backend(storage).concurrency(WORKERS).build(noop);
        (sink, Box::pin(run(worker.stream(), tasks)))
    }
}

impl SetUp for MemorySpawned {
    type Sink = MemorySink<()>;

    fn set_up(tasks: usize) -> (Self::Sink, BoxFuture<'static, ()>) {
        let (sink, storage) = memory();
        let worker =
            WorkerBuilder::new("bench").backend(storage).concurrency(WORKERS).parallelize(tokio::spawn).build(noop);
        (sink, Box::pin(run(worker.stream(), tasks)))
    }
}

impl SetUp for VecDeque {
    type Sink = VecDequeBackend<()>;

    fn set_up(tasks: usize) -> (Self::Sink, BoxFuture<'static, ()>) {
        let backend = VecDequeBackend::new();
        let worker = WorkerBuilder::new("bench").backend(backend.clone()).concurrency(WORKERS).build(noop);
        (backend, Box::pin(run(worker.stream(), tasks)))
    }
}

impl SetUp for VecDequeSpawned {
    type Sink = VecDequeBackend<()>;

    fn set_up(tasks: usize) -> (Self::Sink, BoxFuture<'static, ()>) {
        let backend = VecDequeBackend::new();
        let worker = WorkerBuilder::new("bench")
            .backend(backend.clone())
            .concurrency(WORKERS)
            .parallelize(tokio::spawn)
            .build(noop);
        (backend, Box::pin(run(worker.stream(), tasks)))
    }
}

/// [`VecDeque`], each task under a number that the caller counts, which spares apalis the making of a random text.
pub(crate) struct VecDequeNumbered;

impl SetUp for VecDequeNumbered {
    type Sink = VecDequeBackend<()>;

    fn task() -> Task<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        TaskBuilder::new(()).task_id(TaskId::from_int(NEXT.fetch_add(1, Ordering::Relaxed))).build()
    }

    fn set_up(tasks: usize) -> (Self::Sink, BoxFuture<'static, ()>) {
        VecDeque::set_up(tasks)
    }
}

async fn noop((): ()) {}

/// A storage, and a sink that still pushes to it when a worker has taken it. Each has a sender of its own: apalis panics
/// when a push meets the worker's poll on one [`MemorySink`].
fn memory() -> (MemorySink<()>, MemoryStorage<()>) {
    let (sender, receiver) = unbounded();
    (sink(sender.clone()), MemoryStorage::new_with(sink(sender), receiver.boxed()))
}

fn sink(sender: UnboundedSender<Task<()>>) -> MemorySink<()> {
    let sender: Box<dyn Sink<Task<()>, Error = MemoryStorageError> + Send + Sync + Unpin> =
        Box::new(sender.sink_map_err(MemoryStorageError::from));
    MemorySink::new(Arc::new(Mutex::new(sender)))
}

/// What `Worker::run` does, until so many tasks have succeeded.
async fn run(events: impl Stream<Item = Result<Event, WorkerError>>, tasks: usize) {
    let mut events = std::pin::pin!(events);
    let mut succeeded = 0;
    while succeeded < tasks {
        match events.next().await {
            Some(Ok(Event::Success(_))) => succeeded += 1,
            Some(Ok(Event::Start)) => {}
            other => panic!("after {succeeded} of {tasks} tasks: {other:?}"),
        }
    }
}

/// apalis as an engine.
pub(crate) struct Apalis<S: SetUp> {
    sink: S::Sink,
    worker: Option<BoxFuture<'static, ()>>,
    running: Option<JoinHandle<()>>,
}

impl<S: SetUp> Engine for Apalis<S> {
    async fn new(tasks: usize) -> Self {
        let (sink, worker) = S::set_up(tasks);
        Self { sink, worker: Some(worker), running: None }
    }

    async fn start(&mut self) {
        self.running = self.worker.take().map(tokio::spawn);
    }

    async fn submit(&mut self) {
        self.sink.send(S::task()).await.expect("the backend takes a task");
    }

    async fn finish(&mut self) {
        self.running.take().expect("the worker runs").await.expect("every task succeeded");
    }
}
