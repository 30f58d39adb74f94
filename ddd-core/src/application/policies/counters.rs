use std::sync::atomic::{AtomicU64, Ordering};

use super::stripes::{Line, Stripes};

/// `N` numbers that count up, each thread for itself.
#[derive(Debug)]
pub(super) struct Counters<const N: usize> {
    lines: Stripes<Numbers<N>>,
    /// What the lines said together at the last reset: nobody but its thread may write to a line.
    past: [AtomicU64; N],
}

#[derive(Debug)]
struct Numbers<const N: usize>([AtomicU64; N]);

impl<const N: usize> Counters<N> {
    /// One more of number `which`.
    #[inline]
    pub(super) fn count(&self, which: usize) {
        let line = Line::mine();
        line.count(&self.lines.at(line).0[which]);
    }

    /// Number `which`, since the last reset.
    pub(super) fn sum(&self, which: usize) -> u64 {
        self.total(which).saturating_sub(self.past[which].load(Ordering::Relaxed))
    }

    /// All to zero.
    pub(super) fn reset(&self) {
        for (which, past) in self.past.iter().enumerate() {
            past.store(self.total(which), Ordering::Relaxed);
        }
    }

    fn total(&self, which: usize) -> u64 {
        self.lines.all().map(|it| it.0[which].load(Ordering::Relaxed)).sum()
    }
}

impl<const N: usize> Default for Counters<N> {
    fn default() -> Self {
        Self { lines: Stripes::default(), past: zeros() }
    }
}

impl<const N: usize> Default for Numbers<N> {
    fn default() -> Self {
        Self(zeros())
    }
}

fn zeros<const N: usize>() -> [AtomicU64; N] {
    std::array::from_fn(|_| AtomicU64::new(0))
}
