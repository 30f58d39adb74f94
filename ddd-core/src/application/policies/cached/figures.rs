use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use serde_json::{Map, Value, json};

use super::super::counters::Counters;
use crate::domain::{nanos, written_duration};

/// What a cache counts, apart from the hits of its front table.
#[derive(Debug, Default)]
pub(super) struct Figures {
    hits: Counters<1>,
    misses: AtomicU64,
    fills: AtomicU64,
    failed: AtomicU64,
    fill_nanos: AtomicU64,
    longest_nanos: AtomicU64,
    evictions: AtomicU64,
    refreshes: AtomicU64,
    stale: AtomicU64,
    /// Hits of the front tables that were counted when the figures were put to zero.
    past_hits: AtomicU64,
    pub(super) shared: SharedFigures,
}

/// What a cache counts of the store that processes share.
#[derive(Debug, Default)]
pub(super) struct SharedFigures {
    hits: AtomicU64,
    misses: AtomicU64,
    errors: AtomicU64,
}

impl SharedFigures {
    pub(super) fn hit(&self) {
        self.hits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    /// The store did not answer, or was not asked because it did not before; or a key or value could not be written or read.
    pub(super) fn unanswered(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Under their names.
    pub(super) fn shown(&self) -> [(&'static str, u64); 3] {
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        [
            ("shared_hits", read(&self.hits)),
            ("shared_misses", read(&self.misses)),
            ("shared_errors", read(&self.errors)),
        ]
    }
}

impl Figures {
    pub(super) fn hit(&self) {
        self.hits.count(0);
    }

    pub(super) fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn filled(&self, took: Duration, failed: bool) {
        let nanos = nanos(took);
        self.fills.fetch_add(1, Ordering::Relaxed);
        self.fill_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.longest_nanos.fetch_max(nanos, Ordering::Relaxed);
        if failed {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn evicted(&self) {
        self.evictions.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refreshed(&self) {
        self.refreshes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn served_stale(&self) {
        self.stale.fetch_add(1, Ordering::Relaxed);
    }

    /// All to zero; `front_hits` is what the front tables have counted.
    pub(super) fn reset(&self, front_hits: u64) {
        let counters =
            [&self.misses, &self.fills, &self.failed, &self.fill_nanos, &self.longest_nanos, &self.evictions];
        let shared = [&self.shared.hits, &self.shared.misses, &self.shared.errors];
        let all = counters.into_iter().chain([&self.refreshes, &self.stale]).chain(shared);
        for counter in all {
            counter.store(0, Ordering::Relaxed);
        }
        self.hits.reset();
        self.past_hits.store(front_hits, Ordering::Relaxed);
    }

    /// Under their names.
    pub(super) fn shown(&self, front_hits: u64) -> Map<String, Value> {
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        let hits = self.hits.sum(0) + front_hits.saturating_sub(read(&self.past_hits));
        let fills = read(&self.fills);
        let mean = read(&self.fill_nanos).checked_div(fills).unwrap_or(0);
        let figures = [
            ("hits", json!(hits)),
            ("misses", json!(read(&self.misses))),
            ("fills", json!(fills)),
            ("failed_fills", json!(read(&self.failed))),
            ("mean_fill_time", json!(text(mean))),
            ("longest_fill_time", json!(text(read(&self.longest_nanos)))),
            ("refreshes", json!(read(&self.refreshes))),
            ("stale_served", json!(read(&self.stale))),
            ("evictions", json!(read(&self.evictions))),
        ];
        figures.into_iter().map(|(name, figure)| (name.to_owned(), figure)).collect()
    }
}

/// As text; nobody reads nanoseconds of what takes longer than some microseconds.
fn text(nanos: u64) -> String {
    const MICROSECOND: u64 = 1_000;
    let nanos = if nanos < 100 * MICROSECOND { nanos } else { nanos - nanos % MICROSECOND };
    written_duration(Duration::from_nanos(nanos))
}
