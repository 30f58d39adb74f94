use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;

use super::faulty_hints::{Hint, HintFault, HintPlan, Relays};
use crate::{
    domain::{Cursor, Filter, Page, Statistics, TaskId, TaskRecord, TaskSummary, Timestamp, WorkerId},
    ports::{
        Attention, Capabilities, ClaimRequest, Claims, Clock, Control, Controlled, Declaration, Enqueued, Finish,
        Finished, Heartbeat, NewTask, Position, ProgressReport, QueueState, Reaped, ScheduleCommand, ScheduleRecord,
        Signal, SignalSink, StoreError, StoreErrorKind, StoreFuture, StorePlace, StoreSettings, TaskStore, Watcher,
        WorkerState,
    },
};

/// What a store is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreCall {
    /// To set bounds and the settings of queues.
    Configure,
    /// To store tasks.
    Enqueue,
    /// To hand out tasks.
    Claim,
    /// To end attempts.
    Finish,
    /// To renew leases.
    Heartbeat,
    /// To store progress.
    Progress,
    /// Upkeep.
    Reap,
    /// To make a worker known.
    Declare,
    /// To forget a worker.
    Withdraw,
    /// To change tasks or queues on a user's behalf.
    Control,
    /// To change or fire schedules.
    Schedules,
    /// To say something, and change nothing.
    Query,
    /// To give a connection for heartbeats.
    Dedicated,
}

/// What happens to one call of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing: it works.
    None,
    /// It fails, and nothing is done.
    Fails,
    /// It is done, and its answer is lost: the caller is told that it failed.
    AnswerLost,
    /// It is done only after so long, and then answered.
    Late(Duration),
    /// It is done at once, and answered after so long.
    LateAnswer(Duration),
    /// It is done twice, one after the other; the second answer is given.
    Twice,
    /// It is done and answered, and done once more after so long, as a packet that took a detour.
    Again(Duration),
    /// It is never done nor answered.
    Hangs,
    /// It panics, and nothing is done.
    Panics,
}

type Plan = Box<dyn FnMut(StoreCall) -> Fault + Send>;

/// A store that has the trouble that a test wants: its calls fail before or after their effect, come late, come twice or never,
/// and its hints are lost or repeated.
///
/// Until a plan is given all is well. A clone is another handle of the same store. Give each application of a test a faulty store
/// of its own over one shared store, and trouble can hit each of them alone.
///
/// ```standalone_crate
/// use std::{sync::Arc, time::Duration};
/// use ddd_core::{MemoryStore, SubmitError, task, testing::{self, Fault, FaultyStore, StoreCall, VirtualClock}};
///
/// #[task]
/// async fn greet(name: String) -> Result<String, String> { Ok(format!("hello {name}")) }
///
/// #[tokio::main(flavor = "current_thread", start_paused = true)]
/// async fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let clock = Arc::new(VirtualClock::start());
///     let store = FaultyStore::new(Arc::new(MemoryStore::with_clock(clock.clone())));
///     let app = testing::builder().clock(clock).store(store.clone()).start().await?;
///
///     store.plan(|call| if call == StoreCall::Enqueue { Fault::Fails } else { Fault::None });
///     let refused = app.submit(greet { name: "Ada".into() }).await;
///     assert!(matches!(refused, Err(SubmitError::Store(_))));
///
///     store.plan(|call| if call == StoreCall::Finish { Fault::AnswerLost } else { Fault::None });
///     let handle = app.submit(greet { name: "Ada".into() }).await?;
///     tokio::time::sleep(Duration::from_secs(10)).await;
///     store.calm();
///     assert_eq!(handle.result().await?, "hello Ada"); // told again, and done once
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct FaultyStore(Arc<Inner>);

struct Inner {
    store: Arc<dyn TaskStore>,
    plan: Mutex<Plan>,
    relays: Relays,
}

impl FaultyStore {
    /// Puts trouble before `store`; none until a plan is given.
    #[must_use]
    pub fn new(store: Arc<dyn TaskStore>) -> Self {
        let plan: Plan = Box::new(|_| Fault::None);
        Self(Arc::new(Inner { store, plan: Mutex::new(plan), relays: Relays::default() }))
    }

    /// From now on calls go as `plan` says. It is asked once for each call, and must not call the store.
    ///
    /// What a store does at once, without a future (to store one task, to end attempts and claim), it does only where the plan
    /// says [`Fault::None`]; else the caller takes the longer way, and the plan is asked again.
    pub fn plan(&self, plan: impl FnMut(StoreCall) -> Fault + Send + 'static) {
        *self.0.plan.lock() = Box::new(plan);
    }

    /// From now on hints go as `plan` says. It is asked for each, perhaps under a lock of the store's: it must return at once,
    /// and must not call the store.
    pub fn plan_hints(&self, plan: impl FnMut(Hint<'_>) -> HintFault + Send + 'static) {
        self.0.relays.plan(Box::new(plan) as HintPlan);
    }

    /// From now on all is well. What is late stays late.
    pub fn calm(&self) {
        self.plan(|_| Fault::None);
        self.plan_hints(|_| HintFault::None);
    }

    fn fault(&self, call: StoreCall) -> Fault {
        (self.0.plan.lock())(call)
    }

    fn call<T: Send + 'static>(
        &self,
        call: StoreCall,
        make: impl Fn(&dyn TaskStore) -> StoreFuture<T> + Send + Sync + 'static,
    ) -> StoreFuture<T> {
        let fault = self.fault(call);
        let store = self.0.store.clone();
        match fault {
            Fault::None => make(&*store),
            Fault::Fails => Box::pin(std::future::ready(Err(away()))),
            Fault::AnswerLost => Box::pin(async move { make(&*store).await.and(Err(away())) }),
            Fault::Late(duration) => Box::pin(async move {
                tokio::time::sleep(duration).await;
                make(&*store).await
            }),
            Fault::LateAnswer(duration) => Box::pin(async move {
                let answer = make(&*store).await;
                tokio::time::sleep(duration).await;
                answer
            }),
            Fault::Twice => Box::pin(async move {
                drop(make(&*store).await);
                make(&*store).await
            }),
            Fault::Again(duration) => Box::pin(async move {
                let answer = make(&*store).await;
                tokio::spawn(async move {
                    tokio::time::sleep(duration).await;
                    drop(make(&*store).await);
                });
                answer
            }),
            Fault::Hangs => Box::pin(std::future::pending()),
            Fault::Panics => Box::pin(async { panic!("the store panics, as the test planned") }),
        }
    }

    fn unwatched(&self, mut task: NewTask) -> NewTask {
        task.watcher = task.watcher.filter(|_| self.0.relays.fault(Hint::End(task.id)) != HintFault::Lost);
        task
    }
}

fn away() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the store is away, as the test planned")
}

impl TaskStore for FaultyStore {
    fn kind(&self) -> &'static str {
        "faulty"
    }

    fn place(&self) -> StorePlace {
        self.0.store.place()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.store.capabilities()
    }

    fn configure(&self, settings: StoreSettings) -> StoreFuture<()> {
        self.call(StoreCall::Configure, move |it| it.configure(settings.clone()))
    }

    fn enqueue(&self, tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>> {
        let tasks: Vec<_> = tasks.into_iter().map(|it| self.unwatched(it)).collect();
        self.call(StoreCall::Enqueue, move |it| it.enqueue(tasks.clone()))
    }

    fn enqueue_now(&self, task: &mut Option<NewTask>, now: Option<Timestamp>) -> Option<Enqueued> {
        if self.fault(StoreCall::Enqueue) != Fault::None {
            return None;
        }
        *task = task.take().map(|it| self.unwatched(it));
        self.0.store.enqueue_now(task, now)
    }

    fn clock(&self) -> Option<Arc<dyn Clock>> {
        self.0.store.clock()
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<Claims> {
        self.call(StoreCall::Claim, move |it| it.claim(request.clone()))
    }

    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>> {
        self.call(StoreCall::Finish, move |it| it.finish(finishes.clone()))
    }

    fn finish_and_claim_now(
        &self,
        finishes: &mut dyn Iterator<Item = Finish>,
        request: &ClaimRequest,
    ) -> Option<(Vec<Finished>, Claims)> {
        let is_well = self.fault(StoreCall::Finish) == Fault::None && self.fault(StoreCall::Claim) == Fault::None;
        is_well.then(|| self.0.store.finish_and_claim_now(finishes, request)).flatten()
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> StoreFuture<Vec<Signal>> {
        self.call(StoreCall::Heartbeat, move |it| it.heartbeat(heartbeat.clone()))
    }

    fn progress(&self, reports: Vec<ProgressReport>) -> StoreFuture<Vec<Finished>> {
        self.call(StoreCall::Progress, move |it| it.progress(reports.clone()))
    }

    fn reap(&self, max: usize) -> StoreFuture<Reaped> {
        self.call(StoreCall::Reap, move |it| it.reap(max))
    }

    fn declare(&self, declaration: Declaration) -> StoreFuture<Reaped> {
        self.call(StoreCall::Declare, move |it| it.declare(declaration.clone()))
    }

    fn withdraw(&self, worker: WorkerId) -> StoreFuture<()> {
        self.call(StoreCall::Withdraw, move |it| it.withdraw(worker))
    }

    fn control(&self, command: Control) -> StoreFuture<Vec<Controlled>> {
        self.call(StoreCall::Control, move |it| it.control(command.clone()))
    }

    fn get(&self, ids: Vec<TaskId>) -> StoreFuture<Vec<Option<TaskRecord>>> {
        self.call(StoreCall::Query, move |it| it.get(ids.clone()))
    }

    fn list(&self, filter: Filter, cursor: Option<Cursor>, limit: usize) -> StoreFuture<Page<TaskSummary>> {
        self.call(StoreCall::Query, move |it| it.list(filter.clone(), cursor, limit))
    }

    fn positions(&self, ids: Vec<TaskId>, most: usize) -> StoreFuture<Vec<Option<Position>>> {
        self.call(StoreCall::Query, move |it| it.positions(ids.clone(), most))
    }

    fn statistics(&self) -> StoreFuture<Statistics> {
        self.call(StoreCall::Query, |it| it.statistics())
    }

    fn queues(&self) -> StoreFuture<Vec<QueueState>> {
        self.call(StoreCall::Query, |it| it.queues())
    }

    fn workers(&self) -> StoreFuture<Vec<WorkerState>> {
        self.call(StoreCall::Query, |it| it.workers())
    }

    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>> {
        self.call(StoreCall::Schedules, move |it| it.schedules(command.clone()))
    }

    fn watch(&self, id: TaskId, watcher: Arc<dyn Watcher>) {
        if self.0.relays.fault(Hint::End(id)) != HintFault::Lost {
            self.0.store.watch(id, watcher);
        }
    }

    fn attach(&self, sink: Weak<dyn SignalSink>) {
        self.0.store.attach(self.0.relays.before(sink));
    }

    fn settle(&self) {
        self.0.store.settle();
    }

    fn attend(&self, to: Attention) {
        self.0.store.attend(to);
    }

    /// The same store, with the same plan.
    fn dedicated(&self) -> StoreFuture<Arc<dyn TaskStore>> {
        let this: Arc<dyn TaskStore> = Arc::new(self.clone());
        self.call(StoreCall::Dedicated, move |_| Box::pin(std::future::ready(Ok(this.clone()))))
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FaultyStore").field(&self.0.store.kind()).finish()
    }
}
