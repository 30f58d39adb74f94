use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, Ordering},
};

use parking_lot::Mutex;

use super::life::Life;
use crate::application::guard::discard;

/// A key with its value, or with room for it while the fill runs.
///
/// What a hit looks at comes first, in one cache line if key and value are small.
#[repr(C, align(64))]
pub(super) struct Entry<K, R> {
    pub(super) life: Life,
    /// There until the entry is dropped.
    key: Option<K>,
    value: OnceLock<R>,
    pub(super) hash: u64,
    weight: AtomicU32,
    /// The lines whose front tables it was put into, a bit for each.
    fronts: AtomicU32,
    graveyard: Arc<Graveyard<K, R>>,
}

/// Keys and values whose destructors have not run yet.
///
/// The last reference to an entry may be dropped anywhere: under a lock of the bounded store, in its upkeep, under a lock of
/// ours. What users wrote must not run there, so it is put here, and buried by whoever is outside of all locks next.
pub(super) struct Graveyard<K, R>(Mutex<Vec<(Option<K>, Option<R>)>>);

impl<K, R> Entry<K, R> {
    pub(super) fn new(hash: u64, key: K, life: Life, graveyard: Arc<Graveyard<K, R>>) -> Arc<Self> {
        Arc::new(Self {
            life,
            key: Some(key),
            value: OnceLock::new(),
            hash,
            weight: AtomicU32::new(1),
            fronts: AtomicU32::new(0),
            graveyard,
        })
    }

    #[inline]
    pub(super) const fn key(&self) -> Option<&K> {
        self.key.as_ref()
    }

    #[inline]
    pub(super) fn value(&self) -> Option<&R> {
        self.value.get()
    }

    pub(super) fn weight(&self) -> u32 {
        self.weight.load(Ordering::Relaxed)
    }

    /// Notes that the entry is about to be put into the front table of this line.
    pub(super) fn note_front(&self, line: usize) {
        self.fronts.fetch_or(1 << line, Ordering::AcqRel);
    }

    /// The lines whose front tables it was put into.
    pub(super) fn fronts(&self) -> impl Iterator<Item = usize> + use<K, R> {
        // A change, so that it comes before or after that of a thread which puts it in just now.
        let lines = self.fronts.fetch_or(0, Ordering::AcqRel);
        (0..u32::BITS as usize).filter(move |it| lines >> it & 1 == 1)
    }

    /// Puts the value in; its life has been filled before. Answers with the value if there was one already.
    pub(super) fn put(&self, value: R, weight: u32) -> Result<(), R> {
        self.weight.store(weight, Ordering::Relaxed);
        self.value.set(value)
    }
}

impl<K, R> Drop for Entry<K, R> {
    fn drop(&mut self) {
        self.graveyard.0.lock().push((self.key.take(), self.value.take()));
    }
}

impl<K, R> Graveyard<K, R> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Runs the destructors of what was dropped. To be called without any lock.
    pub(super) fn bury(&self) {
        loop {
            let dead = std::mem::take(&mut *self.0.lock());
            if dead.is_empty() {
                return;
            }
            dead.into_iter().for_each(discard);
        }
    }
}
