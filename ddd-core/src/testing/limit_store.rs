use std::{collections::HashMap, fmt};

use parking_lot::Mutex;

use super::server::Server;
use crate::{
    domain::{Exceeded, LimitKey, LimitPlan, LimitState, LimitUsage, Moment},
    ports::{LimitAnswer, LimitRequest, LimitStore, StoreFuture},
};

/// A store of shared rate limits in this process's memory: what an application is given in a test instead of a server.
///
/// Its clones are the same store, so that a test can have several applications use it.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use ddd_core::{App, Moment, testing::MemoryLimitStore};
///
/// # async fn example() -> Result<(), ddd_core::BuildError> {
/// let store = MemoryLimitStore::new(|| Moment::default().after(Duration::from_secs(1)));
/// let app = App::builder().limit_store(Arc::new(store.clone())).build().await?;
/// store.set_away(true); // now shared limits do as their `when_unavailable` says
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryLimitStore(Server<Mutex<Used>>);

/// What is used of each limit, by the policy and its key.
type Used = HashMap<(&'static str, Option<LimitKey>), (LimitPlan, LimitUsage)>;

impl MemoryLimitStore {
    /// An empty store under this clock.
    #[must_use]
    pub fn new(clock: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Server::new(clock))
    }

    /// Lets the store be away, or come back.
    pub fn set_away(&self, is_away: bool) {
        self.0.set_away(is_away);
    }

    /// Of how many policies and keys it knows what they used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.holds().lock().len()
    }

    /// Whether it knows of none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl LimitStore for MemoryLimitStore {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn take(&self, requests: Vec<LimitRequest>) -> StoreFuture<Vec<LimitAnswer>> {
        self.0.call(move |used, now| {
            let mut used = used.lock();
            let answers = requests.iter().map(|it| take(&mut used, it, now)).collect();
            used.retain(|_, (plan, usage)| !plan.is_unused(usage, now));
            answers
        })
    }

    fn look(&self, requests: Vec<LimitRequest>) -> StoreFuture<Vec<LimitState>> {
        self.0.call(move |used, now| {
            let mut used = used.lock();
            let states = requests.iter().map(|it| with(&mut used, it, now, |plan, usage| plan.state(usage, now)));
            let states = states.collect();
            used.retain(|_, (plan, usage)| !plan.is_unused(usage, now));
            states
        })
    }

    fn give_back(&self, requests: Vec<LimitRequest>) -> StoreFuture<()> {
        self.0.call(move |used, now| {
            let mut used = used.lock();
            for it in &requests {
                with(&mut used, it, now, |plan, usage| plan.give_back(usage, it.cost, now));
            }
            used.retain(|_, (plan, usage)| !plan.is_unused(usage, now));
        })
    }

    fn forget(&self, policy: &'static str, keys: Vec<Option<LimitKey>>) -> StoreFuture<()> {
        self.0.call(move |used, _| used.lock().retain(|(name, key), _| *name != policy || !keys.contains(key)))
    }

    fn clear(&self, policy: &'static str) -> StoreFuture<()> {
        self.0.call(move |used, _| used.lock().retain(|(name, _), _| *name != policy))
    }
}

fn take(used: &mut Used, request: &LimitRequest, now: Moment) -> LimitAnswer {
    match with(used, request, now, |plan, usage| plan.take(usage, request.cost, now)) {
        Ok(()) => LimitAnswer::Taken,
        Err(Exceeded::Until(at)) => LimitAnswer::Exceeded { retry_after: Some(at.since(now)) },
        Err(Exceeded::Always) => LimitAnswer::Exceeded { retry_after: None },
    }
}

/// Does something to the usage of the request's key, under its settings.
fn with<T>(
    used: &mut Used,
    request: &LimitRequest,
    now: Moment,
    act: impl FnOnce(&LimitPlan, &mut LimitUsage) -> T,
) -> T {
    let asked = LimitPlan::new(&request.settings);
    let place = used.entry((request.policy, request.key));
    let (plan, usage) = place.or_insert_with(|| (asked.clone(), asked.unused()));
    if *plan != asked {
        let before = std::mem::replace(usage, asked.unused());
        *usage = asked.adopt(plan, before, now);
        *plan = asked;
    }
    act(plan, usage)
}

impl fmt::Debug for MemoryLimitStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLimitStore").field("len", &self.len()).finish_non_exhaustive()
    }
}
