use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use super::tags::Mark;
use crate::domain::{Freshness, Moment, Spans};

/// Nothing more is to be looked at than the age and the epoch.
const CALM: u8 = 0;
/// There is more to look at: tags, a wish for a refresh, a negative value.
const WATCHED: u8 = 1;
/// Invalidated or evicted; for good.
const DEAD: u8 = 2;

/// Whether an entry is still good: all that is about its key and value, without them.
///
/// It begins with the fill, before there is a value. What was invalidated between then and the end of the fill is
/// therefore never served: the entry is dead, of an earlier epoch, or its tag has moved on when its value arrives.
///
/// It is at the beginning of what a hit looks at, and as small as can be.
#[derive(Debug)]
pub(super) struct Life {
    state: AtomicU8,
    is_negative: AtomicBool,
    is_wanted_anew: AtomicBool,
    is_refreshing: AtomicBool,
    /// The lower half of its number: nothing is filled for as long as 2³² epochs last.
    epoch: u32,
    filled: AtomicU64,
    /// What few entries have.
    more: Option<Box<More>>,
}

#[derive(Debug)]
struct More {
    used: AtomicU64,
    marks: Box<[Mark]>,
}

impl Life {
    /// `is_idle_known` if its uses are to be noted.
    pub(super) fn new(epoch: u64, marks: Box<[Mark]>, is_idle_known: bool) -> Self {
        let state = if marks.is_empty() { CALM } else { WATCHED };
        let needs_more = is_idle_known || !marks.is_empty();
        let more = needs_more.then(|| Box::new(More { used: AtomicU64::new(0), marks }));
        Self {
            state: AtomicU8::new(state),
            is_negative: AtomicBool::new(false),
            is_wanted_anew: AtomicBool::new(false),
            is_refreshing: AtomicBool::new(false),
            epoch: epoch as u32,
            filled: AtomicU64::new(0),
            more,
        }
    }

    /// Notes when the value arrived, and of what sort it is. The value is published after it.
    pub(super) fn fill(&self, now: Moment, is_negative: bool) {
        self.filled.store(now.as_nanos(), Ordering::Relaxed);
        self.touch(now, 0);
        if is_negative {
            self.is_negative.store(true, Ordering::Relaxed);
            self.state.fetch_max(WATCHED, Ordering::Relaxed);
        }
    }

    /// Whether nothing was invalidated since the fill began.
    pub(super) fn is_current(&self, epoch: u64) -> bool {
        self.epoch == epoch as u32
            && self.state.load(Ordering::Acquire) != DEAD
            && self.more.iter().flat_map(|it| &it.marks).all(Mark::is_current)
    }

    /// Whether the entry is fresh, by the cheap test alone.
    #[inline]
    pub(super) fn is_calm(&self, now: Moment, epoch: u64, calm: u64) -> bool {
        let age = now.as_nanos().saturating_sub(self.filled.load(Ordering::Relaxed));
        self.state.load(Ordering::Acquire) == CALM && self.epoch == epoch as u32 && age < calm
    }

    /// What the entry is good for.
    pub(super) fn freshness(&self, now: Moment, epoch: u64, spans: &Spans) -> Freshness {
        if !self.is_current(epoch) {
            return Freshness::Gone;
        }
        let filled = Moment::from_nanos(self.filled.load(Ordering::Relaxed));
        // Without a note of its uses, it was used just now.
        let used = self.more.as_ref().map_or(now, |it| Moment::from_nanos(it.used.load(Ordering::Relaxed)));
        let freshness = spans.freshness(now, filled, used, self.is_negative.load(Ordering::Relaxed));
        if freshness == Freshness::Fresh && self.is_wanted_anew.load(Ordering::Relaxed) {
            return Freshness::Due;
        }
        freshness
    }

    /// Notes a use, if it says anything new: of many in a short time, one is enough.
    pub(super) fn touch(&self, now: Moment, tti: u64) {
        let Some(More { used, .. }) = self.more.as_deref() else { return };
        if now.as_nanos() > used.load(Ordering::Relaxed).saturating_add(tti / 64) {
            used.store(now.as_nanos(), Ordering::Relaxed);
        }
    }

    pub(super) fn kill(&self) {
        self.state.store(DEAD, Ordering::Release);
    }

    pub(super) fn want_anew(&self) {
        self.is_wanted_anew.store(true, Ordering::Relaxed);
        self.state.fetch_max(WATCHED, Ordering::Release);
    }

    /// Whether it is to be filled anew, however fresh it is.
    pub(super) fn is_wanted_anew(&self) -> bool {
        self.is_wanted_anew.load(Ordering::Relaxed)
    }

    /// Whether the caller is to refresh it: one at a time is.
    pub(super) fn begin_refresh(&self) -> bool {
        !self.is_refreshing.swap(true, Ordering::Relaxed)
    }

    pub(super) fn end_refresh(&self) {
        self.is_refreshing.store(false, Ordering::Relaxed);
    }
}
