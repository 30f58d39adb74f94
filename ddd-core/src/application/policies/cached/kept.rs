use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use moka::{notification::RemovalCause, sync::Cache};
use parking_lot::RwLock;

use crate::domain::{LONGEST_DURATION, Spans};

use super::{common::Common, entry::Entry, front::Front, hash::Unhashed};

/// The entries, as many as the capacity allows: who stays is decided by how often and how lately each was asked for.
///
/// They are kept by the hash of their key, so that the bounded store calls nothing that users wrote. Of two keys with one
/// hash the later one stays, which whoever finds an entry learns by comparing.
pub(super) struct Kept<K, R> {
    store: RwLock<Store<K, R>>,
    /// Whether an entry ever weighed other than 1. A bounded store that weighs estimates frequencies from a sketch of a
    /// quarter of the size, which costs hits, so one that need not weigh does not.
    is_weighing: AtomicBool,
}

type Store<K, R> = Cache<u64, Arc<Entry<K, R>>, Unhashed>;

impl<K, R> Kept<K, R>
where
    K: Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    pub(super) fn new(common: &Arc<Common>, front: &Arc<Front<K, R>>) -> Self {
        Self { store: RwLock::new(store(common, front, false)), is_weighing: AtomicBool::new(false) }
    }

    /// The entry of a hash; it counts as asked for.
    pub(super) fn get(&self, hash: u64) -> Option<Arc<Entry<K, R>>> {
        self.store.read().get(&hash)
    }

    pub(super) fn insert(&self, entry: Arc<Entry<K, R>>, common: &Arc<Common>, front: &Arc<Front<K, R>>) {
        if entry.weight() != 1 && !self.is_weighing.swap(true, Ordering::Relaxed) {
            self.rebuild(common, front);
        }
        self.store.read().insert(entry.hash, entry);
    }

    pub(super) fn remove(&self, hash: u64) {
        self.store.read().invalidate(&hash);
    }

    /// How many there are, and what they weigh together.
    pub(super) fn size(&self) -> (u64, u64) {
        let store = self.store.read().clone();
        store.run_pending_tasks();
        (store.entry_count(), store.weighted_size())
    }

    /// Forgets them all.
    pub(super) fn clear(&self, common: &Arc<Common>, front: &Arc<Front<K, R>>) {
        let new = store(common, front, self.is_weighing.load(Ordering::Relaxed));
        let old = std::mem::replace(&mut *self.store.write(), new);
        drop(old);
    }

    /// Goes on with the settings in force.
    pub(super) fn rebuild(&self, common: &Arc<Common>, front: &Arc<Front<K, R>>) {
        let new = store(common, front, self.is_weighing.load(Ordering::Relaxed));
        // Nobody looks in between: an invalidation that found neither store complete would miss an entry.
        let mut store = self.store.write();
        for (hash, entry) in &*store {
            new.insert(*hash, entry);
        }
        let old = std::mem::replace(&mut *store, new.clone());
        drop(store);
        drop(old);
        new.run_pending_tasks();
    }
}

fn store<K, R>(common: &Arc<Common>, front: &Arc<Front<K, R>>, is_weighing: bool) -> Store<K, R>
where
    K: Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    let settings = common.settings();
    let (common, front_table) = (common.clone(), front.clone());
    let mut builder = Cache::builder().max_capacity(settings.capacity).eviction_listener(
        move |_, entry: Arc<Entry<K, R>>, cause: RemovalCause| {
            entry.life.kill();
            front_table.remove(&entry);
            if cause == RemovalCause::Size {
                front_table.tell();
                common.figures.evicted();
            }
        },
    );
    if is_weighing {
        builder = builder.weigher(|_, entry: &Arc<Entry<K, R>>| entry.weight());
    }
    // Ours are the decisions what is fresh; this only gives memory back. What is kept for longer than anybody can mean, is kept
    // for ever.
    if let Some(longest) = Spans::of(&settings).longest().filter(|it| *it < LONGEST_DURATION) {
        builder = builder.time_to_live(longest);
    }
    builder.build_with_hasher(Unhashed)
}
