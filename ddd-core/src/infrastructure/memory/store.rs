use std::sync::{Arc, Weak};

use super::{
    shared::Shared,
    transaction::{MemoryTransaction, place_of},
};
use crate::{
    domain::{Cursor, Filter, Page, Statistics, TaskId, TaskRecord, TaskSummary, Timestamp, WorkerId},
    infrastructure::clock::SystemClock,
    ports::{
        Capabilities, ClaimRequest, Claims, Clock, Control, Controlled, Declaration, Enqueued, Finish, Finished,
        Heartbeat, NewTask, Position, ProgressReport, QueueState, Reaped, ScheduleCommand, ScheduleRecord, Signal,
        SignalSink, StoreError, StoreFuture, StorePlace, StoreSettings, TaskStore, Watcher, WorkerState,
    },
};

/// Tasks in the memory of this process: nothing to install, and gone with the process.
///
/// A clone is another handle of the same store. Every method does its work at once, in one short critical section, and its
/// future is ready.
///
/// The bound on a queue's depth is one on submissions: none is accepted while that many tasks wait, in whatever status. A
/// task that was accepted may always come back, for a retry or from a worker that died.
#[derive(Clone, Debug)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

fn ready<T: Send + 'static>(answer: T) -> StoreFuture<T> {
    Box::pin(std::future::ready(Ok(answer)))
}

impl MemoryStore {
    /// An empty store on the operating system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store on another clock, such as a test's.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self { shared: Arc::new(Shared::new(clock)) }
    }

    /// Begins a transaction: what is submitted within it is stored at its commit, or not at all.
    pub fn begin(&self) -> MemoryTransaction {
        MemoryTransaction::new(self.shared.clone())
    }
}

impl TaskStore for MemoryStore {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn place(&self) -> StorePlace {
        place_of(&self.shared)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { durable: false, shared: false, transactional: true }
    }

    fn configure(&self, settings: StoreSettings) -> StoreFuture<()> {
        self.shared.configure(settings);
        ready(())
    }

    fn enqueue(&self, tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>> {
        let mut answers = Vec::with_capacity(tasks.len());
        self.shared.change(|state, now, fx| {
            answers.extend(tasks.into_iter().map(|it| state.enqueue(it, now, fx)));
        });
        ready(answers)
    }

    fn enqueue_now(&self, task: &mut Option<NewTask>, now: Option<Timestamp>) -> Option<Enqueued> {
        self.shared.submit(task, now)
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(self.shared.clock.clone())
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<Claims> {
        ready(self.shared.change(|state, now, fx| state.claim(&request, now, fx)))
    }

    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>> {
        ready(self.shared.change(|state, now, fx| state.finish_all(&mut finishes.into_iter(), now, fx)))
    }

    fn finish_and_claim_now(
        &self,
        finishes: &mut dyn Iterator<Item = Finish>,
        request: &ClaimRequest,
    ) -> Option<(Vec<Finished>, Claims)> {
        Some(self.shared.change(|state, now, fx| {
            let answers = state.finish_all(finishes, now, fx);
            (answers, state.claim(request, now, fx))
        }))
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> StoreFuture<Vec<Signal>> {
        ready(self.shared.change(|state, now, _| state.heartbeat(&heartbeat, now)))
    }

    fn progress(&self, reports: Vec<ProgressReport>) -> StoreFuture<Vec<Finished>> {
        let mut answers = Vec::with_capacity(reports.len());
        self.shared.change(|state, now, fx| {
            answers.extend(reports.into_iter().map(|it| state.progress(it, now, fx)));
        });
        ready(answers)
    }

    fn reap(&self, max: usize) -> StoreFuture<Reaped> {
        self.shared.drop_dead_sinks();
        ready(self.shared.change(|state, now, fx| state.reap(max, now, fx)))
    }

    fn declare(&self, declaration: Declaration) -> StoreFuture<Reaped> {
        ready(self.shared.change(|state, now, fx| state.declare(&declaration, now, fx)))
    }

    fn withdraw(&self, worker: WorkerId) -> StoreFuture<()> {
        self.shared.change(|state, _, _| state.workers.withdraw(worker));
        ready(())
    }

    fn control(&self, command: Control) -> StoreFuture<Vec<Controlled>> {
        ready(self.shared.change(|state, now, fx| {
            let answers = state.control(command, now, fx);
            state.prune(2 * answers.len(), now, fx);
            answers
        }))
    }

    fn get(&self, ids: Vec<TaskId>) -> StoreFuture<Vec<Option<TaskRecord>>> {
        let mut answers = Vec::with_capacity(ids.len());
        self.shared.change(|state, now, _| answers.extend(ids.iter().map(|id| state.get(*id, now))));
        ready(answers)
    }

    fn list(&self, filter: Filter, cursor: Option<Cursor>, limit: usize) -> StoreFuture<Page<TaskSummary>> {
        ready(self.shared.list(filter, cursor, limit))
    }

    fn positions(&self, ids: Vec<TaskId>, most: usize) -> StoreFuture<Vec<Option<Position>>> {
        ready(self.shared.change(|state, _, _| ids.into_iter().map(|id| state.position(id, most)).collect()))
    }

    fn statistics(&self) -> StoreFuture<Statistics> {
        ready(self.shared.change(|state, now, _| state.figures(now)).complete())
    }

    fn queues(&self) -> StoreFuture<Vec<QueueState>> {
        ready(self.shared.change(|state, _, _| state.queue_states()))
    }

    fn workers(&self) -> StoreFuture<Vec<WorkerState>> {
        ready(self.shared.change(|state, now, _| state.worker_states(now)))
    }

    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>> {
        let answer: Result<_, StoreError> = self.shared.change(|state, now, fx| state.schedule(command, now, fx));
        Box::pin(std::future::ready(answer))
    }

    fn watch(&self, id: TaskId, watcher: Arc<dyn Watcher>) {
        self.shared.change(|state, now, fx| state.watch(id, watcher, now, fx));
    }

    fn attach(&self, sink: Weak<dyn SignalSink>) {
        self.shared.drop_dead_sinks();
        self.shared.attach(&sink);
    }

    fn settle(&self) {
        self.shared.change(|_, _, _| ());
    }

    fn dedicated(&self) -> StoreFuture<Arc<dyn TaskStore>> {
        ready(Arc::new(self.clone()) as Arc<dyn TaskStore>)
    }
}
