use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use parking_lot::Mutex;

use super::{figures::Figures, hash::Hashes, life::Life, tags::Tags};
use crate::domain::{CachedSettings, Freshness, Moment, Spans, Stored};

/// What all tables of one cache have in common; a generic function has one table for each set of types.
#[derive(Debug)]
pub(super) struct Common {
    calm: AtomicU64,
    epoch: AtomicU64,
    spans: LiveSpans,
    settings: Mutex<CachedSettings>,
    hashes: Hashes,
    pub(super) tags: Tags,
    /// The keys of entries that processes share: what is told of them from elsewhere is told by these.
    pub(super) addresses: Tags,
    pub(super) figures: Figures,
}

/// The spans in force. They change one by one, which nobody can tell from a change a moment earlier or later.
#[derive(Debug, Default)]
struct LiveSpans([AtomicU64; 5]);

impl Common {
    pub(super) fn new(settings: CachedSettings) -> Self {
        let common = Self {
            calm: AtomicU64::default(),
            epoch: AtomicU64::default(),
            spans: LiveSpans::default(),
            settings: Mutex::new(settings),
            hashes: Hashes::default(),
            tags: Tags::default(),
            addresses: Tags::default(),
            figures: Figures::default(),
        };
        common.publish(&common.settings());
        common
    }

    /// The settings in force.
    pub(super) fn settings(&self) -> CachedSettings {
        self.settings.lock().clone()
    }

    /// Puts in force what `next` makes of the settings that are, for what is stored as well. Whether the bounded stores are to
    /// be built anew for them.
    ///
    /// # Errors
    /// Those of `next`.
    pub(super) fn adopt<E>(&self, next: impl FnOnce(&CachedSettings) -> Result<CachedSettings, E>) -> Result<bool, E> {
        let mut settings = self.settings.lock();
        let next = next(&settings)?;
        let before = std::mem::replace(&mut *settings, next);
        let is_bound_anew = settings.capacity != before.capacity || longest(&settings) != longest(&before);
        self.publish(&settings);
        Ok(is_bound_anew)
    }

    /// The numbers that every call reads.
    fn publish(&self, settings: &CachedSettings) {
        let spans = Spans::of(settings);
        self.spans.set(&spans);
        self.calm.store(spans.calm(), Ordering::Release);
    }

    #[inline]
    pub(super) fn hash(&self, key: &impl std::hash::Hash) -> u64 {
        self.hashes.hash(key)
    }

    #[inline]
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Nothing that is stored, and nothing that is being filled, is good from now on.
    pub(super) fn next_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn spans(&self) -> Spans {
        self.spans.get()
    }

    /// Whether a value of this sort is stored.
    pub(super) fn keeps(&self, stored: Stored) -> bool {
        match stored {
            Stored::Positive => true,
            Stored::Negative | Stored::Error => self.spans().negative_ttl > 0,
            Stored::No => false,
        }
    }

    /// Whether an entry is fresh, by the cheap test alone.
    #[inline]
    pub(super) fn is_calm(&self, life: &Life, now: Moment) -> bool {
        life.is_calm(now, self.epoch(), self.calm.load(Ordering::Relaxed))
    }

    pub(super) fn is_current(&self, life: &Life) -> bool {
        life.is_current(self.epoch())
    }

    /// What an entry is good for. One that is served counts as used.
    pub(super) fn freshness(&self, life: &Life, now: Moment) -> Freshness {
        let spans = self.spans();
        let freshness = life.freshness(now, self.epoch(), &spans);
        if spans.tti < u64::MAX && matches!(freshness, Freshness::Fresh | Freshness::Due) {
            life.touch(now, spans.tti);
        }
        freshness
    }
}

impl LiveSpans {
    fn set(&self, spans: &Spans) {
        let all = [spans.ttl, spans.tti, spans.negative_ttl, spans.refresh_ahead, spans.stale_on_error];
        for (live, span) in self.0.iter().zip(all) {
            live.store(span, Ordering::Relaxed);
        }
    }

    fn get(&self) -> Spans {
        let [ttl, tti, negative_ttl, refresh_ahead, stale_on_error] =
            [0, 1, 2, 3, 4].map(|it: usize| self.0[it].load(Ordering::Relaxed));
        Spans { ttl, tti, negative_ttl, refresh_ahead, stale_on_error }
    }
}

/// How long the bounded store keeps entries.
fn longest(settings: &CachedSettings) -> Option<Duration> {
    Spans::of(settings).longest()
}
