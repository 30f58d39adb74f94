//! A store in memory that has trouble when the test wants it to.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use ddd_core::{
    Filter, MemoryStore, Page, Statistics, TaskId, TaskRecord, TaskStore, TaskSummary,
    domain::{Cursor, WorkerId},
    ports::{
        Capabilities, ClaimRequest, Claims, Control, Controlled, Declaration, Enqueued, Finish, Finished, Heartbeat,
        NewTask, Position, ProgressReport, QueueState, Reaped, ScheduleCommand, ScheduleRecord, Signal, SignalSink,
        StoreError, StoreErrorKind, StoreFuture, StoreSettings, Watcher, WorkerState,
    },
};
use std::sync::Mutex;

/// Which method of the store is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Enqueue,
    Claim,
    Finish,
    Heartbeat,
    Progress,
    Reap,
    Declare,
    Withdraw,
    Control,
    Query,
    Schedules,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// It works.
    None,
    /// It fails, and nothing is done.
    Fails,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It is done after so long, and answered.
    Slow(Duration),
    /// It is done at once, and answered after so long.
    SlowAnswer(Duration),
    /// It is never done nor answered.
    Hangs,
    /// It panics, and nothing is done.
    Panics,
}

type Plan = Box<dyn FnMut(Method) -> Trouble + Send>;

#[derive(Clone)]
pub(crate) struct Troubled(Arc<Inner>);

struct Inner {
    store: MemoryStore,
    plan: Mutex<Plan>,
    calls: Mutex<Vec<(Method, usize)>>,
    handed_out: Mutex<Vec<usize>>,
    is_deaf: bool,
}

impl Troubled {
    pub(crate) fn new(store: MemoryStore) -> Self {
        Self::with(store, false)
    }

    /// One that gives no hints: workers must look for themselves.
    pub(crate) fn deaf(store: MemoryStore) -> Self {
        Self::with(store, true)
    }

    fn with(store: MemoryStore, is_deaf: bool) -> Self {
        let plan: Plan = Box::new(|_| Trouble::None);
        let (plan, calls, handed_out) = (Mutex::new(plan), Mutex::default(), Mutex::default());
        Self(Arc::new(Inner { store, plan, calls, handed_out, is_deaf }))
    }

    /// From now on calls go as `plan` says.
    pub(crate) fn plan(&self, plan: impl FnMut(Method) -> Trouble + Send + 'static) {
        *self.0.plan.lock().unwrap() = Box::new(plan);
    }

    /// From now on all is well.
    pub(crate) fn calm(&self) {
        self.plan(|_| Trouble::None);
    }

    /// The sizes of the calls of a method so far; of claims, how many were asked for.
    pub(crate) fn sizes(&self, method: Method) -> Vec<usize> {
        self.0.calls.lock().unwrap().iter().filter(|it| it.0 == method).map(|it| it.1).collect()
    }

    /// How many tasks each claim handed out, those that handed out none left out.
    pub(crate) fn handed_out(&self) -> Vec<usize> {
        self.0.handed_out.lock().unwrap().clone()
    }

    fn call<T: Send + 'static>(
        &self,
        method: Method,
        size: usize,
        make: impl FnOnce(&MemoryStore) -> StoreFuture<T> + Send + 'static,
    ) -> StoreFuture<T> {
        self.0.calls.lock().unwrap().push((method, size));
        let trouble = (self.0.plan.lock().unwrap())(method);
        let store = self.0.store.clone();
        match trouble {
            Trouble::None => make(&store),
            Trouble::Fails => Box::pin(std::future::ready(Err(away()))),
            Trouble::AnswerLost => Box::pin(async move {
                make(&store).await?;
                Err(away())
            }),
            Trouble::Slow(duration) => Box::pin(async move {
                tokio::time::sleep(duration).await;
                make(&store).await
            }),
            Trouble::SlowAnswer(duration) => Box::pin(async move {
                let answer = make(&store).await;
                tokio::time::sleep(duration).await;
                answer
            }),
            Trouble::Panics => Box::pin(async { panic!("a mistake of the store") }),
            Trouble::Hangs => Box::pin(std::future::pending()),
        }
    }
}

fn away() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the test sent it away")
}

impl fmt::Debug for Troubled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Troubled")
    }
}

impl TaskStore for Troubled {
    fn kind(&self) -> &'static str {
        "troubled"
    }

    fn capabilities(&self) -> Capabilities {
        self.0.store.capabilities()
    }

    fn configure(&self, settings: StoreSettings) -> StoreFuture<()> {
        self.0.store.configure(settings)
    }

    fn enqueue(&self, tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>> {
        self.call(Method::Enqueue, tasks.len(), move |it| it.enqueue(tasks))
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<Claims> {
        let this = self.clone();
        self.call(Method::Claim, request.max, move |it| {
            let claims = it.claim(request);
            Box::pin(async move {
                let claims = claims.await?;
                if !claims.tasks.is_empty() {
                    this.0.handed_out.lock().unwrap().push(claims.tasks.len());
                }
                Ok(claims)
            })
        })
    }

    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>> {
        self.call(Method::Finish, finishes.len(), move |it| it.finish(finishes))
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> StoreFuture<Vec<Signal>> {
        self.call(Method::Heartbeat, heartbeat.held.len(), move |it| it.heartbeat(heartbeat))
    }

    fn progress(&self, reports: Vec<ProgressReport>) -> StoreFuture<Vec<Finished>> {
        self.call(Method::Progress, reports.len(), move |it| it.progress(reports))
    }

    fn reap(&self, max: usize) -> StoreFuture<Reaped> {
        self.call(Method::Reap, max, move |it| it.reap(max))
    }

    fn declare(&self, declaration: Declaration) -> StoreFuture<Reaped> {
        self.call(Method::Declare, 1, move |it| it.declare(declaration))
    }

    fn withdraw(&self, worker: WorkerId) -> StoreFuture<()> {
        self.call(Method::Withdraw, 1, move |it| it.withdraw(worker))
    }

    fn control(&self, command: Control) -> StoreFuture<Vec<Controlled>> {
        self.call(Method::Control, 1, move |it| it.control(command))
    }

    fn get(&self, ids: Vec<TaskId>) -> StoreFuture<Vec<Option<TaskRecord>>> {
        self.call(Method::Query, ids.len(), move |it| it.get(ids))
    }

    fn list(&self, filter: Filter, cursor: Option<Cursor>, limit: usize) -> StoreFuture<Page<TaskSummary>> {
        self.call(Method::Query, limit, move |it| it.list(filter, cursor, limit))
    }

    fn positions(&self, ids: Vec<TaskId>, most: usize) -> StoreFuture<Vec<Option<Position>>> {
        self.call(Method::Query, ids.len(), move |it| it.positions(ids, most))
    }

    fn statistics(&self) -> StoreFuture<Statistics> {
        self.call(Method::Query, 1, MemoryStore::statistics)
    }

    fn queues(&self) -> StoreFuture<Vec<QueueState>> {
        self.call(Method::Query, 1, MemoryStore::queues)
    }

    fn workers(&self) -> StoreFuture<Vec<WorkerState>> {
        self.call(Method::Query, 1, MemoryStore::workers)
    }

    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>> {
        self.call(Method::Schedules, 1, move |it| it.schedules(command))
    }

    fn watch(&self, id: TaskId, watcher: Arc<dyn Watcher>) {
        if !self.0.is_deaf {
            self.0.store.watch(id, watcher);
        }
    }

    fn attach(&self, sink: Weak<dyn SignalSink>) {
        if !self.0.is_deaf {
            self.0.store.attach(sink);
        }
    }

    fn dedicated(&self) -> StoreFuture<Arc<dyn TaskStore>> {
        let this: Arc<dyn TaskStore> = Arc::new(self.clone());
        Box::pin(std::future::ready(Ok(this)))
    }
}
