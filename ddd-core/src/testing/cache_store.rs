use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;

use super::server::Server;
use crate::{
    domain::{Moment, Tag},
    ports::{
        CacheAddress, CacheAnswer, CacheFound, CacheInvalidation, CacheListener, CacheStore, CacheTarget, CacheTicket,
        CacheWrite, CacheWritten, StoreFuture,
    },
};

/// A store of shared caches in this process's memory: what an application is given in a test instead of a server.
///
/// Its clones are the same store, so that a test can have several applications use it.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use ddd_core::{App, Moment, testing::MemoryCacheStore};
///
/// # async fn example() -> Result<(), ddd_core::BuildError> {
/// let store = MemoryCacheStore::new(|| Moment::default().after(Duration::from_secs(1)));
/// let app = App::builder().cache_store(Arc::new(store.clone())).build().await?;
/// store.set_away(true); // now shared caches run their bodies
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryCacheStore(Server<Inner>);

#[derive(Default)]
struct Inner {
    kept: Mutex<Kept>,
    listeners: Mutex<Vec<Weak<dyn CacheListener>>>,
    is_silent: AtomicBool,
}

#[derive(Default)]
struct Kept {
    /// How many invalidations there were.
    sequence: u64,
    policies: HashMap<Arc<str>, Policy>,
}

/// The entries of one policy, and when what was last invalidated.
#[derive(Default)]
struct Policy {
    entries: HashMap<Arc<str>, Entry>,
    all: u64,
    keys: HashMap<Arc<str>, u64>,
    tags: HashMap<Tag, u64>,
}

struct Entry {
    envelope: Arc<[u8]>,
    written: Moment,
    keep_for: Option<Duration>,
    tags: Vec<Tag>,
}

impl MemoryCacheStore {
    /// An empty store under this clock.
    #[must_use]
    pub fn new(clock: impl Fn() -> Moment + Send + Sync + 'static) -> Self {
        Self(Server::new(clock))
    }

    /// Lets the store be away, or come back.
    pub fn set_away(&self, is_away: bool) {
        self.0.set_away(is_away);
    }

    /// Lets the listeners not hear of invalidations; when they hear again, they are told that they may have missed some.
    pub fn set_silent(&self, is_silent: bool) {
        let inner = self.0.holds();
        if inner.is_silent.swap(is_silent, Ordering::AcqRel) && !is_silent {
            inner.each_listener(|it| it.lost());
        }
    }

    /// How many entries it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        let now = self.0.now();
        let mut kept = self.0.holds().kept.lock();
        kept.policies.values_mut().map(|it| it.present(now)).sum()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl CacheStore for MemoryCacheStore {
    fn kind(&self) -> &'static str {
        "memory"
    }

    fn get(&self, addresses: Vec<CacheAddress>) -> StoreFuture<Vec<CacheAnswer>> {
        self.0.call(move |inner, now| {
            let mut kept = inner.kept.lock();
            addresses.iter().map(|it| kept.get(it, now)).collect()
        })
    }

    fn put(&self, writes: Vec<CacheWrite>) -> StoreFuture<Vec<CacheWritten>> {
        self.0.call(move |inner, now| {
            let replaced: Vec<_> = writes.iter().filter(|it| it.ticket.is_none()).map(invalidation).collect();
            let written = {
                let mut kept = inner.kept.lock();
                writes.into_iter().map(|it| kept.put(it, now)).collect()
            };
            inner.tell(&replaced);
            written
        })
    }

    fn invalidate(&self, invalidations: Vec<CacheInvalidation>) -> StoreFuture<()> {
        self.0.call(move |inner, _| {
            {
                let mut kept = inner.kept.lock();
                invalidations.iter().for_each(|it| kept.invalidate(it));
            }
            inner.tell(&invalidations);
        })
    }

    fn attach(&self, listener: Weak<dyn CacheListener>) {
        let mut listeners = self.0.holds().listeners.lock();
        listeners.retain(|it| it.strong_count() > 0 && !it.ptr_eq(&listener));
        listeners.push(listener);
    }
}

fn invalidation(write: &CacheWrite) -> CacheInvalidation {
    let address = &write.address;
    CacheInvalidation::new(address.policy.clone(), CacheTarget::Key(address.key.clone()), write.origin)
}

impl Inner {
    fn tell(&self, invalidations: &[CacheInvalidation]) {
        if !invalidations.is_empty() && !self.is_silent.load(Ordering::Acquire) {
            self.each_listener(|it| it.invalidated(invalidations));
        }
    }

    fn each_listener(&self, tell: impl Fn(&dyn CacheListener)) {
        // Called without the lock.
        let listeners: Vec<_> = self.listeners.lock().iter().filter_map(Weak::upgrade).collect();
        listeners.iter().for_each(|it| tell(&**it));
    }
}

impl Kept {
    fn get(&mut self, address: &CacheAddress, now: Moment) -> CacheAnswer {
        let ticket = CacheTicket::new(self.sequence, now.as_nanos() / 1_000_000);
        let policy = self.policies.entry(address.policy.clone()).or_default();
        policy.present(now);
        let found = policy.entries.get(&address.key);
        CacheAnswer::new(found.map(|it| CacheFound::new(it.envelope.clone(), now.since(it.written))), ticket)
    }

    fn put(&mut self, write: CacheWrite, now: Moment) -> CacheWritten {
        match write.ticket {
            None => self.invalidate(&invalidation(&write)),
            Some(ticket) if !self.is_good(&write, ticket) => return CacheWritten::Outdated,
            Some(_) => {}
        }
        let CacheWrite { address, tags, envelope, keep_for, .. } = write;
        let policy = self.policies.entry(address.policy).or_default();
        policy.entries.insert(address.key, Entry { envelope, written: now, keep_for, tags });
        CacheWritten::Stored
    }

    fn is_good(&self, write: &CacheWrite, ticket: CacheTicket) -> bool {
        let last = self.policies.get(&write.address.policy).map_or(0, |policy| {
            let of_tags = write.tags.iter().filter_map(|it| policy.tags.get(it));
            of_tags.chain(policy.keys.get(&write.address.key)).copied().fold(policy.all, u64::max)
        });
        // A higher one than any was never given.
        last <= ticket.sequence && ticket.sequence <= self.sequence
    }

    fn invalidate(&mut self, invalidation: &CacheInvalidation) {
        self.sequence += 1;
        let sequence = self.sequence;
        let policy = self.policies.entry(invalidation.policy.clone()).or_default();
        match &invalidation.target {
            CacheTarget::Key(key) => {
                policy.keys.insert(key.clone(), sequence);
                policy.entries.remove(key);
            }
            CacheTarget::Tag(tag) => {
                policy.tags.insert(tag.clone(), sequence);
                policy.entries.retain(|_, it| !it.tags.contains(tag));
            }
            CacheTarget::All => *policy = Policy { all: sequence, ..Policy::default() },
        }
    }
}

impl Policy {
    /// Forgets what is over; answers with how many entries there are.
    fn present(&mut self, now: Moment) -> usize {
        self.entries.retain(|_, it| it.keep_for.is_none_or(|keep_for| now.since(it.written) < keep_for));
        self.entries.len()
    }
}

impl fmt::Debug for MemoryCacheStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCacheStore").field("len", &self.len()).finish_non_exhaustive()
    }
}
