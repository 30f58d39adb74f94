//! A layer before a store: it changes what it names, and leaves the rest to the store below.

use std::sync::{Arc, Weak};

use ddd_core::{
    Clock, Filter, Page, Statistics, StorePlace, TaskId, TaskRecord, TaskStore, TaskSummary, Timestamp,
    domain::{Cursor, WorkerId},
    ports::{
        Capabilities, ClaimRequest, Claims, Control, Controlled, Declaration, Enqueued, Finish, Finished, Heartbeat,
        NewTask, Position, ProgressReport, QueueState, Reaped, ScheduleCommand, ScheduleRecord, Signal, SignalSink,
        StoreFuture, StoreSettings, Watcher, WorkerState,
    },
};

/// What a layer may change. The methods are those of [`TaskStore`].
#[allow(missing_docs, reason = "they are documented there")]
pub trait Layer: Send + Sync + 'static {
    /// The store below.
    fn below(&self) -> &Arc<dyn TaskStore>;

    fn enqueue(&self, tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>> {
        self.below().enqueue(tasks)
    }

    fn enqueue_now(&self, task: &mut Option<NewTask>, now: Option<Timestamp>) -> Option<Enqueued> {
        self.below().enqueue_now(task, now)
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<Claims> {
        self.below().claim(request)
    }

    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>> {
        self.below().finish(finishes)
    }

    fn finish_and_claim_now(
        &self,
        finishes: &mut dyn Iterator<Item = Finish>,
        request: &ClaimRequest,
    ) -> Option<(Vec<Finished>, Claims)> {
        self.below().finish_and_claim_now(finishes, request)
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> StoreFuture<Vec<Signal>> {
        self.below().heartbeat(heartbeat)
    }

    fn reap(&self, max: usize) -> StoreFuture<Reaped> {
        self.below().reap(max)
    }

    fn control(&self, command: Control) -> StoreFuture<Vec<Controlled>> {
        self.below().control(command)
    }

    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>> {
        self.below().schedules(command)
    }

    fn attach(&self, sink: Weak<dyn SignalSink>) {
        self.below().attach(sink);
    }
}

/// A store with a layer before it.
#[derive(Debug)]
pub struct Layered<L>(pub Arc<L>);

impl<L> Clone for Layered<L> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<L: Layer> TaskStore for Layered<L> {
    fn kind(&self) -> &'static str {
        self.0.below().kind()
    }

    fn place(&self) -> StorePlace {
        self.0.below().place()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.below().capabilities()
    }

    fn configure(&self, settings: StoreSettings) -> StoreFuture<()> {
        self.0.below().configure(settings)
    }

    fn enqueue(&self, tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>> {
        self.0.enqueue(tasks)
    }

    fn enqueue_now(&self, task: &mut Option<NewTask>, now: Option<Timestamp>) -> Option<Enqueued> {
        self.0.enqueue_now(task, now)
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        self.0.below().clock()
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<Claims> {
        self.0.claim(request)
    }

    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>> {
        self.0.finish(finishes)
    }

    fn finish_and_claim_now(
        &self,
        finishes: &mut dyn Iterator<Item = Finish>,
        request: &ClaimRequest,
    ) -> Option<(Vec<Finished>, Claims)> {
        self.0.finish_and_claim_now(finishes, request)
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> StoreFuture<Vec<Signal>> {
        self.0.heartbeat(heartbeat)
    }

    fn progress(&self, reports: Vec<ProgressReport>) -> StoreFuture<Vec<Finished>> {
        self.0.below().progress(reports)
    }

    fn reap(&self, max: usize) -> StoreFuture<Reaped> {
        self.0.reap(max)
    }

    fn declare(&self, declaration: Declaration) -> StoreFuture<Reaped> {
        self.0.below().declare(declaration)
    }

    fn withdraw(&self, worker: WorkerId) -> StoreFuture<()> {
        self.0.below().withdraw(worker)
    }

    fn control(&self, command: Control) -> StoreFuture<Vec<Controlled>> {
        self.0.control(command)
    }

    fn get(&self, ids: Vec<TaskId>) -> StoreFuture<Vec<Option<TaskRecord>>> {
        self.0.below().get(ids)
    }

    fn list(&self, filter: Filter, cursor: Option<Cursor>, limit: usize) -> StoreFuture<Page<TaskSummary>> {
        self.0.below().list(filter, cursor, limit)
    }

    fn positions(&self, ids: Vec<TaskId>, most: usize) -> StoreFuture<Vec<Option<Position>>> {
        self.0.below().positions(ids, most)
    }

    fn statistics(&self) -> StoreFuture<Statistics> {
        self.0.below().statistics()
    }

    fn queues(&self) -> StoreFuture<Vec<QueueState>> {
        self.0.below().queues()
    }

    fn workers(&self) -> StoreFuture<Vec<WorkerState>> {
        self.0.below().workers()
    }

    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>> {
        self.0.schedules(command)
    }

    fn watch(&self, id: TaskId, watcher: Arc<dyn Watcher>) {
        self.0.below().watch(id, watcher);
    }

    fn attach(&self, sink: Weak<dyn SignalSink>) {
        self.0.attach(sink);
    }

    fn settle(&self) {
        self.0.below().settle();
    }

    /// The same store: what a layer changes must hold for heartbeats, too.
    fn dedicated(&self) -> StoreFuture<Arc<dyn TaskStore>> {
        let this: Arc<dyn TaskStore> = Arc::new(self.clone());
        Box::pin(std::future::ready(Ok(this)))
    }
}
