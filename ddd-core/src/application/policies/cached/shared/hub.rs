//! The store of shared caches, for all caches of the process.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::{
    super::{super::ambient, common::Common},
    owed::Owed,
};
use crate::{
    application::store_call::{self, Pause},
    domain::Tag,
    ports::{
        CacheAddress, CacheAnswer, CacheInvalidation, CacheListener, CacheStore, CacheTarget, CacheWrite, StoreError,
        StoreErrorKind,
    },
};

/// A store that takes longer counts as one that does not answer: the body may be faster.
const TIMEOUT: Duration = Duration::from_millis(500);

/// So long a store that did not answer is left alone; then one call tries again. In nanoseconds.
const LEFT_ALONE: u64 = 1_000_000_000;

/// The store of this process's shared caches, or of the isolated test around the caller.
pub(in super::super) struct Hub {
    store: Mutex<Option<Arc<dyn CacheStore>>>,
    /// By what this process knows its own invalidations.
    origin: u64,
    caches: Mutex<HashMap<Arc<str>, Vec<Weak<Common>>>>,
    owed: Owed,
    /// One batch of invalidations is on its way at a time, so that none overtakes another.
    sending: tokio::sync::Mutex<()>,
    is_sending_again: AtomicBool,
    is_away: AtomicBool,
    /// When a store that is away is asked again.
    again_at: AtomicU64,
}

/// From now on, shared caches are kept there.
pub(crate) fn set_cache_store(store: Arc<dyn CacheStore>) {
    let hub = Hub::current();
    let listener: Arc<dyn CacheListener> = hub.clone();
    store.attach(Arc::downgrade(&listener));
    // A new store is not the one that was away.
    hub.is_away.store(false, Ordering::Relaxed);
    *hub.store.lock() = Some(store);
}

impl Hub {
    /// That of the process, or of the isolated test around the caller. It is kept by what it belongs to.
    pub(in super::super) fn current() -> Arc<Self> {
        ambient::shared("cache_store", Self::new)
    }

    fn new() -> Self {
        Self {
            store: Mutex::new(None),
            origin: fastrand::u64(..),
            caches: Mutex::default(),
            owed: Owed::default(),
            sending: tokio::sync::Mutex::default(),
            is_sending_again: AtomicBool::new(false),
            is_away: AtomicBool::new(false),
            again_at: AtomicU64::new(0),
        }
    }

    /// From now on, this cache forgets what the store tells of its policy.
    pub(super) fn register(&self, policy: &Arc<str>, cache: &Arc<Common>) {
        let mut caches = self.caches.lock();
        let of_policy = caches.entry(policy.clone()).or_default();
        of_policy.retain(|it| it.strong_count() > 0);
        of_policy.push(Arc::downgrade(cache));
    }

    /// What the store knows of an entry; `None` if it does not answer.
    pub(super) async fn look(self: &Arc<Self>, address: CacheAddress) -> Option<CacheAnswer> {
        let store = self.ready()?;
        let answers = store_call::call(store.get(vec![address]), TIMEOUT).await;
        self.told(answers.and_then(only))
    }

    /// Gives an entry to the store, which this call does not wait for. `unanswered` is called if it does not answer.
    pub(super) fn put(self: &Arc<Self>, write: CacheWrite, unanswered: impl FnOnce() + Send + 'static) {
        let (Some(store), Ok(runtime)) = (self.ready(), Handle::try_current()) else { return unanswered() };
        match store_call::poll_now(store.put(vec![write])) {
            Ok(answer) => {
                if self.told(answer.and_then(only)).is_none() {
                    unanswered();
                }
            }
            Err(pending) => {
                let hub = self.clone();
                let answer = store_call::detach(&runtime, pending, TIMEOUT, drop);
                drop(runtime.spawn(ambient::carried(async move {
                    if hub.told(answer.await.and_then(only)).is_none() {
                        unanswered();
                    }
                })));
            }
        }
    }

    /// Gives a value to the store that holds from now on; if it does not answer, it is still to forget the one before.
    pub(super) async fn replace(self: &Arc<Self>, write: CacheWrite) {
        let invalidation = CacheInvalidation::new(
            write.address.policy.clone(),
            CacheTarget::Key(write.address.key.clone()),
            self.origin,
        );
        if let Some(store) = self.ready() {
            let put = store.put(vec![write]);
            // An error is an answer as well: what comes late may have taken effect with one.
            let put = Box::pin(async move { Ok(put.await) });
            let (hub, again) = (self.clone(), invalidation.clone());
            // After what was owed for it, and after what was put since.
            let late = move |_| hub.fall_behind(again);
            let answer = store_call::call_or_late(put, TIMEOUT, late).await;
            if self.told(answer.and_then(|it| it).and_then(only)).is_some() {
                return;
            }
        }
        self.fall_behind(invalidation);
    }

    /// Lets the store forget entries, and all processes with it; then this one again, which may have asked the store meanwhile.
    /// While the store is away, that is tried again and again, and this process does not ask it for anything.
    pub(in super::super) async fn invalidate(self: &Arc<Self>, policy: &str, target: CacheTarget) {
        self.owe(CacheInvalidation::new(policy, target, self.origin));
        let Ok(runtime) = Handle::try_current() else {
            self.owed.fall_behind();
            return;
        };
        let hub = self.clone();
        // In a task of its own: whoever stops to wait does not stop it.
        let sent = runtime.spawn(ambient::carried(async move {
            if hub.send().await.is_err() {
                hub.send_again();
            }
        }));
        // It ends by itself, or with the runtime.
        let _ = sent.await;
    }

    /// By what this process knows its own invalidations.
    pub(super) const fn origin(&self) -> u64 {
        self.origin
    }

    fn store(&self) -> Option<Arc<dyn CacheStore>> {
        self.store.lock().clone()
    }

    /// The store, if it is to be asked now.
    fn ready(self: &Arc<Self>) -> Option<Arc<dyn CacheStore>> {
        let store = self.store()?;
        Handle::try_current().ok()?;
        if self.owed.is_behind() {
            self.send_again();
            return None;
        }
        if self.is_away.load(Ordering::Relaxed) {
            let (now, again_at) = (ambient::now().as_nanos(), self.again_at.load(Ordering::Relaxed));
            let next = now.saturating_add(LEFT_ALONE);
            let is_first =
                || self.again_at.compare_exchange(again_at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
            if now < again_at || !is_first() {
                return None;
            }
        }
        Some(store)
    }

    /// The answer, if there is one. Logged when that changes, not for each call.
    fn told<T>(&self, answer: Result<T, StoreError>) -> Option<T> {
        match answer {
            Ok(answer) => {
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!("the store of shared caches answers again");
                }
                Some(answer)
            }
            Err(error) => {
                let again_at = ambient::now().as_nanos().saturating_add(LEFT_ALONE);
                self.again_at.store(again_at, Ordering::Relaxed);
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "the store of shared caches does not answer"
                    );
                }
                None
            }
        }
    }

    /// The store may hold something outdated: it is to forget that before it is asked for anything.
    fn fall_behind(self: &Arc<Self>, invalidation: CacheInvalidation) {
        self.owe(invalidation);
        self.owed.fall_behind();
        self.send_again();
    }

    fn owe(&self, invalidation: CacheInvalidation) {
        // Without a store nobody else knows anything.
        if self.store.lock().is_some() {
            self.owed.add(invalidation);
        }
    }

    /// Lets the store forget what it is owed.
    async fn send(&self) -> Result<(), StoreError> {
        let _turn = self.sending.lock().await;
        let batch = self.owed.batch();
        let Some(store) = self.store().filter(|_| !batch.invalidations.is_empty()) else { return Ok(()) };
        if let Err(error) = store_call::call(store.invalidate(batch.invalidations.clone()), TIMEOUT).await {
            self.owed.fall_behind();
            return Err(error);
        }
        self.forget(batch.invalidations.iter());
        self.owed.settle(&batch);
        Ok(())
    }

    /// Tries again and again.
    fn send_again(self: &Arc<Self>) {
        let Ok(runtime) = Handle::try_current() else { return };
        if let Some(turn) = Turn::begin(self) {
            store_call::spawn(&runtime, ambient::carried(turn.send_all()));
        }
    }

    /// Forgets entries of this process.
    fn forget<'a>(&self, invalidations: impl Iterator<Item = &'a CacheInvalidation>) {
        for invalidation in invalidations {
            for cache in self.caches_of(&invalidation.policy) {
                match &invalidation.target {
                    CacheTarget::Key(key) => cache.addresses.invalidate(&Tag::from(&**key)),
                    CacheTarget::Tag(tag) => cache.tags.invalidate(tag),
                    CacheTarget::All => cache.next_epoch(),
                }
            }
        }
    }

    fn caches_of(&self, policy: &str) -> Vec<Arc<Common>> {
        self.caches.lock().get(policy).into_iter().flatten().filter_map(Weak::upgrade).collect()
    }
}

/// The turn of the only one who tries again and again. Whatever ends it, another can begin.
struct Turn(Arc<Hub>);

impl Turn {
    fn begin(hub: &Arc<Hub>) -> Option<Self> {
        let is_free = !hub.is_sending_again.swap(true, Ordering::AcqRel);
        is_free.then(|| Self(hub.clone()))
    }

    async fn send_all(self) {
        let hub = self.0.clone();
        let (mut turn, mut pause) = (Some(self), Pause::default());
        while turn.is_some() {
            while !hub.owed.is_empty() {
                if let Err(error) = hub.send().await {
                    pause.report_and_wait(&error, "invalidating shared caches").await;
                }
            }
            drop(turn);
            // Whoever came to owe something before that found the turn taken.
            turn = if hub.owed.is_empty() { None } else { Self::begin(&hub) };
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.is_sending_again.store(false, Ordering::Release);
    }
}

impl CacheListener for Hub {
    fn invalidated(&self, invalidations: &[CacheInvalidation]) {
        self.forget(invalidations.iter().filter(|it| it.origin != self.origin));
    }

    fn lost(&self) {
        let caches: Vec<_> = self.caches.lock().values().flatten().filter_map(Weak::upgrade).collect();
        tracing::debug!("invalidations of shared caches may have been missed; all copies are forgotten");
        caches.iter().for_each(|it| it.next_epoch());
    }
}

/// The answer to the only question.
fn only<T>(answers: Vec<T>) -> Result<T, StoreError> {
    let unanswered = || StoreError::new(StoreErrorKind::Corrupt, "the store left a question unanswered");
    answers.into_iter().next().ok_or_else(unanswered)
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("owed", &self.owed).finish_non_exhaustive()
    }
}
