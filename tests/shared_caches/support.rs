use std::{
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use ddd_core::{
    App, CacheAddress, CacheAnswer, CacheInvalidation, CacheListener, CacheStore, CacheWrite, CacheWritten, Moment,
    StoreError, StoreErrorKind, cached, policies,
    ports::StoreFuture,
    testing::{IsolatedPolicies, MemoryCacheStore},
};
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, time::Instant};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// What the bodies read.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) value: AtomicU64,
    pub(crate) runs: AtomicU64,
    pub(crate) is_broken: AtomicBool,
    /// Bodies wait for it after they have read.
    pub(crate) gate: Semaphore,
}

impl Source {
    pub(crate) fn new(value: u64) -> Arc<Self> {
        let gate = Semaphore::new(Semaphore::MAX_PERMITS);
        Arc::new(Self { value: value.into(), runs: AtomicU64::new(0), is_broken: AtomicBool::new(false), gate })
    }

    /// Bodies wait until a permit is added.
    pub(crate) fn gated(value: u64) -> Arc<Self> {
        let gate = Semaphore::new(0);
        Arc::new(Self { value: value.into(), runs: AtomicU64::new(0), is_broken: AtomicBool::new(false), gate })
    }

    pub(crate) fn set(&self, value: u64) {
        self.value.store(value, Ordering::SeqCst);
    }

    pub(crate) fn runs(&self) -> u64 {
        self.runs.load(Ordering::SeqCst)
    }

    pub(crate) async fn read(&self) -> Result<u64, Failed> {
        let value = self.value.load(Ordering::SeqCst);
        self.runs.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        if self.is_broken.load(Ordering::SeqCst) { Err(Failed) } else { Ok(value) }
    }
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the source is broken")]
pub(crate) struct Failed;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) id: u64,
    pub(crate) value: u64,
}

/// With all that is said of a shared cache.
#[cached(
    "1h",
    key = id,
    name = "profile",
    scope = "shared",
    tags = [if id.is_multiple_of(2) { "even" } else { "odd" }],
    refresh_ahead = "10m",
    stale_on_error = "2h",
    negative_ttl = "5m",
    handle = PROFILES: u64
)]
pub(crate) async fn profile(id: u64, source: Arc<Source>) -> Result<Profile, Failed> {
    Ok(Profile { id, value: source.read().await? })
}

/// Driven by its caller.
#[cached("1h", key = id, name = "lent", scope = "shared")]
pub(crate) async fn lent(id: u64, source: &Source) -> u64 {
    source.read().await.unwrap()
}

/// A store under the runtime's time.
pub(crate) fn store() -> MemoryCacheStore {
    let started = Instant::now();
    MemoryCacheStore::new(move || Moment::default().after(MINUTE + started.elapsed()))
}

/// A process: it has its own state of all policies.
#[derive(Clone, Debug)]
pub(crate) struct Process(IsolatedPolicies);

impl Process {
    pub(crate) async fn over(store: impl CacheStore) -> Self {
        let process = Self(IsolatedPolicies::start());
        let app = App::builder().cache_store(Arc::new(store)).submit_only().build();
        drop(process.run(app).await.unwrap());
        process
    }

    pub(crate) async fn run<F: Future>(&self, future: F) -> F::Output {
        self.0.scope(future).await
    }

    /// What a call of [`profile`] is answered with.
    pub(crate) async fn value(&self, id: u64, source: &Arc<Source>) -> u64 {
        self.run(profile(id, source.clone())).await.unwrap().value
    }

    pub(crate) async fn figure(&self, policy: &str, name: &str) -> u64 {
        let figures = self.run(async { policies().get(policy).unwrap().remove(0).figures }).await;
        figures[name].as_u64().unwrap_or_else(|| panic!("{name} in {figures:?}"))
    }

    /// Hits, misses and errors of the store.
    pub(crate) async fn shared(&self, policy: &str) -> (u64, u64, u64) {
        let one = |name| self.figure(policy, name);
        (one("shared_hits").await, one("shared_misses").await, one("shared_errors").await)
    }
}

pub(crate) async fn two(store: &MemoryCacheStore) -> (Process, Process) {
    (Process::over(store.clone()).await, Process::over(store.clone()).await)
}

/// A store that can take its time, count and hang.
#[derive(Clone, Debug)]
pub(crate) struct Far {
    pub(crate) store: MemoryCacheStore,
    /// Each call takes up to so many turns of the scheduler, before and after it.
    pub(crate) turns: u8,
    pub(crate) hangs: Arc<AtomicBool>,
    pub(crate) asked: Arc<AtomicU64>,
    /// It answers, and forgets nothing.
    pub(crate) keeps_all: Arc<AtomicBool>,
    /// Writes that begin while it is so wait for a permit of [`Far::gate`].
    pub(crate) holds: Arc<Mutex<Held>>,
    pub(crate) gate: Arc<Semaphore>,
}

/// Which part of a write is held up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Held {
    #[default]
    Nothing,
    /// The write itself, which takes effect late.
    Write,
    /// The answer: the write has taken effect.
    Answer,
}

impl Far {
    pub(crate) fn new(store: &MemoryCacheStore, turns: u8) -> Self {
        Self {
            store: store.clone(),
            turns,
            hangs: Arc::default(),
            asked: Arc::default(),
            keeps_all: Arc::default(),
            holds: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    /// From now on, this is held up of writes that begin.
    pub(crate) fn hold(&self, held: Held) {
        *self.holds.lock().unwrap() = held;
    }

    fn slowly<T: Send + 'static>(&self, answer: impl FnOnce(&MemoryCacheStore) -> StoreFuture<T>) -> StoreFuture<T> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let (answer, turns, hangs) = (answer(&self.store), self.turns, self.hangs.load(Ordering::SeqCst));
        Box::pin(async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            pause(turns).await;
            let answer = answer.await;
            pause(turns).await;
            answer
        })
    }
}

pub(crate) async fn pause(turns: u8) {
    for _ in 0..fastrand::u8(..=turns) {
        tokio::task::yield_now().await;
    }
}

impl CacheStore for Far {
    fn kind(&self) -> &'static str {
        "far"
    }

    fn get(&self, addresses: Vec<CacheAddress>) -> StoreFuture<Vec<CacheAnswer>> {
        self.slowly(|it| it.get(addresses))
    }

    fn put(&self, writes: Vec<CacheWrite>) -> StoreFuture<Vec<CacheWritten>> {
        let held = *self.holds.lock().unwrap();
        if held == Held::Nothing {
            return self.slowly(|it| it.put(writes));
        }
        let (store, gate) = (self.store.clone(), self.gate.clone());
        Box::pin(async move {
            let pass = async || gate.acquire().await.unwrap().forget();
            if held == Held::Write {
                pass().await;
            }
            let answer = store.put(writes).await;
            if held == Held::Answer {
                pass().await;
            }
            answer
        })
    }

    fn invalidate(&self, invalidations: Vec<CacheInvalidation>) -> StoreFuture<()> {
        if self.keeps_all.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::new(StoreErrorKind::Unavailable, "the test says so")) });
        }
        self.slowly(|it| it.invalidate(invalidations))
    }

    fn attach(&self, listener: Weak<dyn CacheListener>) {
        self.store.attach(listener);
    }
}
