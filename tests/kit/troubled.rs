//! A store in memory that has trouble when the test wants it to, and notes how it was called.

use std::{fmt, sync::Arc};

use ddd_core::{
    MemoryStore, TaskStore, Timestamp,
    ports::{
        ClaimRequest, Claims, Enqueued, Finish, Finished, Heartbeat, NewTask, Reaped, ScheduleCommand, ScheduleRecord,
        Signal, StoreFuture,
    },
    testing::{Fault, FaultyStore, HintFault, StoreCall},
};
use parking_lot::Mutex;

use crate::kit::layer::{Layer, Layered};

/// A faulty store that notes its calls. Each is noted whatever becomes of it.
pub type Troubled = Layered<Noting>;

/// What notes the calls.
pub struct Noting {
    faulty: FaultyStore,
    below: Arc<dyn TaskStore>,
    calls: Mutex<Vec<(StoreCall, usize)>>,
    handed_out: Arc<Mutex<Vec<usize>>>,
}

impl Troubled {
    /// One without trouble, until a plan is given.
    #[must_use]
    pub fn new(store: MemoryStore) -> Self {
        let faulty = FaultyStore::new(Arc::new(store));
        let below = Arc::new(faulty.clone());
        Self(Arc::new(Noting { faulty, below, calls: Mutex::default(), handed_out: Arc::default() }))
    }

    /// One that gives no hints: workers must look for themselves.
    #[must_use]
    pub fn deaf(store: MemoryStore) -> Self {
        let this = Self::new(store);
        this.0.faulty.plan_hints(|_| HintFault::Lost);
        this
    }

    /// From now on calls go as `plan` says.
    pub fn plan(&self, plan: impl FnMut(StoreCall) -> Fault + Send + 'static) {
        self.0.faulty.plan(plan);
    }

    /// From now on no call has trouble.
    pub fn calm(&self) {
        self.plan(|_| Fault::None);
    }

    /// The sizes of the calls so far; of claims, how many were asked for. Of those for workers, queries and commands none is noted.
    #[must_use]
    pub fn sizes(&self, call: StoreCall) -> Vec<usize> {
        self.0.calls.lock().iter().filter(|it| it.0 == call).map(|it| it.1).collect()
    }

    /// How many tasks each claim handed out, those that handed out none left out.
    #[must_use]
    pub fn handed_out(&self) -> Vec<usize> {
        self.0.handed_out.lock().clone()
    }
}

impl Noting {
    fn noted(&self, call: StoreCall, size: usize) -> &Arc<dyn TaskStore> {
        self.calls.lock().push((call, size));
        &self.below
    }
}

impl Layer for Noting {
    fn below(&self) -> &Arc<dyn TaskStore> {
        &self.below
    }

    fn enqueue(&self, tasks: Vec<NewTask>) -> StoreFuture<Vec<Enqueued>> {
        self.noted(StoreCall::Enqueue, tasks.len()).enqueue(tasks)
    }

    /// Not at once: each call goes the way that can have trouble.
    fn enqueue_now(&self, _: &mut Option<NewTask>, _: Option<Timestamp>) -> Option<Enqueued> {
        None
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<Claims> {
        let claims = self.noted(StoreCall::Claim, request.max).claim(request);
        let handed_out = self.handed_out.clone();
        Box::pin(async move {
            let claims = claims.await?;
            if !claims.tasks.is_empty() {
                handed_out.lock().push(claims.tasks.len());
            }
            Ok(claims)
        })
    }

    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>> {
        self.noted(StoreCall::Finish, finishes.len()).finish(finishes)
    }

    /// Nor this.
    fn finish_and_claim_now(
        &self,
        _: &mut dyn Iterator<Item = Finish>,
        _: &ClaimRequest,
    ) -> Option<(Vec<Finished>, Claims)> {
        None
    }

    fn heartbeat(&self, heartbeat: Heartbeat) -> StoreFuture<Vec<Signal>> {
        self.noted(StoreCall::Heartbeat, heartbeat.held.len()).heartbeat(heartbeat)
    }

    fn reap(&self, max: usize) -> StoreFuture<Reaped> {
        self.noted(StoreCall::Reap, max).reap(max)
    }

    fn schedules(&self, command: ScheduleCommand) -> StoreFuture<Vec<ScheduleRecord>> {
        self.noted(StoreCall::Schedules, 1).schedules(command)
    }
}

impl fmt::Debug for Noting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Noting").field(&self.faulty).finish()
    }
}
