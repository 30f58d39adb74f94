//! How many good calls a thread saw.

use super::super::atomics::{AtomicU64, Ordering};

/// How many good calls there were of one label, until somebody takes them. The label says in which generation of the
/// circuit and in which slice of its window they ended.
///
/// One word, so that a count and its label are never of different calls: the label above, the count below.
#[derive(Debug)]
pub(super) struct GoodCalls(AtomicU64);

const COUNT_BITS: u32 = 24;
const MOST: u64 = (1 << COUNT_BITS) - 1;

impl GoodCalls {
    /// None yet.
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One more of this label, of which 40 bits count. `false` if there is no room: calls of another label wait to be
    /// taken, or too many of this one.
    #[inline]
    pub(super) fn add(&self, label: u64) -> bool {
        let mut current = self.0.load(Ordering::Relaxed);
        loop {
            let (found, count) = (current >> COUNT_BITS, current & MOST);
            if count == MOST || count > 0 && found != label {
                return false;
            }
            let next = (label << COUNT_BITS) | (count + 1);
            match self.0.compare_exchange_weak(current, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(changed) => current = changed,
            }
        }
    }

    /// Takes them: their label, and how many there were.
    pub(super) fn take(&self) -> (u64, u64) {
        let taken = self.0.swap(0, Ordering::Relaxed);
        (taken >> COUNT_BITS, taken & MOST)
    }
}

impl Default for GoodCalls {
    fn default() -> Self {
        Self::new()
    }
}
