//! What a feed knows of its slots, and how much they are given at a time.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::served::Served;
use crate::{domain::Name, ports::Claimed};

/// What a slot has just done.
pub(crate) struct Done {
    /// The queue of the task that it ran first.
    pub(crate) queue: Name,
    /// How many bodies ended at their first poll, if all did, and soon.
    pub(crate) quick: Option<usize>,
    /// How long all of them took.
    pub(crate) took: Duration,
}

/// What a feed knows of its slots.
#[derive(Default)]
pub(super) struct State {
    pub(super) served: Served,
    /// Claimed, and on the way to a slot.
    pub(super) ready: VecDeque<Claimed>,
    /// How many slots there are, and how many there should be.
    pub(super) slots: usize,
    pub(super) limit: usize,
    /// How many of them wait for work, and how many run a body.
    pub(super) hungry: usize,
    pub(super) running: usize,
    /// How many claims are under way that others wait for: those that the store does not answer at once, and those that
    /// must be the only one. And whether a slot does wait.
    pub(super) claiming: usize,
    pub(super) again: bool,
    /// How many tasks are asked for in claims under way.
    pub(super) asked: usize,
    /// A task that must run alone runs, or waits until this worker is idle.
    pub(super) alone: bool,
    pub(super) closed: bool,
    /// When a task becomes ready by itself.
    pub(super) next_at: Option<Instant>,
    /// How many bodies in a row ended at their first poll, and how long one of them took.
    pub(super) quick: usize,
    pub(super) pace: Duration,
    /// Whether the store has ever taken time for a claim: then each claim is worth a larger batch.
    pub(super) is_remote: bool,
}

impl State {
    /// After so many bodies in a row that ended at their first poll, a slot claims several tasks at once for itself.
    pub(super) const QUICK: usize = 32;
    /// How many: a part of the row, and no more than this.
    pub(super) const BATCH: usize = 32;
    /// Or up to so many, as long as they are this little work: the next claim finds what the store keeps in the memory of another
    /// processor, and the more it is about, the less of that falls on each.
    const LARGE_BATCH: usize = 128;
    const LITTLE: Duration = Duration::from_micros(100);
    /// Of a store that takes time for a claim, more; a slot takes some of them at a time.
    const REMOTE_BATCH: usize = 500;
    const REMOTE_LINE: usize = 100;
    const REMOTE_LITTLE: Duration = Duration::from_millis(25);

    /// How many tasks are claimed to run one after the other.
    pub(super) fn batch(&self) -> usize {
        let (most, little) = match self.is_remote {
            true => (Self::REMOTE_BATCH, Self::REMOTE_LITTLE),
            false => (Self::LARGE_BATCH, Self::LITTLE),
        };
        // No more than a little work, by the last bodies: what waits here could have been begun elsewhere.
        let soon = little.as_nanos() / self.pace.as_nanos().max(1);
        (self.quick / 4).min(usize::try_from(soon).unwrap_or(usize::MAX).clamp(Self::BATCH, most))
    }

    /// What one slot takes of what is ready.
    pub(super) fn line(&mut self) -> VecDeque<Claimed> {
        let is_quick = self.is_remote && self.quick >= Self::QUICK && !self.served.has_limits();
        let most = if is_quick { self.batch().clamp(1, Self::REMOTE_LINE) } else { 1 };
        let most = most.min(self.ready.len());
        self.ready.drain(..most).collect()
    }

    /// A slot has run what it was given.
    pub(super) fn ended(&mut self, done: &Done) {
        self.running -= 1;
        self.quick = done.quick.map_or(0, |it| self.quick.saturating_add(it));
        if let Some(count) = done.quick.and_then(|it| u32::try_from(it).ok()).filter(|it| *it > 0) {
            self.pace = done.took / count;
        }
        self.alone &= self.running > 0;
        self.served.ended(&done.queue);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The more work the last bodies were, the fewer tasks one slot keeps from the others.
    #[test]
    fn large_batches_are_for_very_short_bodies() {
        let batch = |quick, pace, is_remote| {
            let pace = Duration::from_nanos(pace);
            State { quick, pace, is_remote, ..State::default() }.batch()
        };
        assert_eq!(batch(32, 200, false), 8, "a part of the row");
        assert_eq!(batch(100_000, 0, false), 128);
        assert_eq!(batch(100_000, 200, false), 128);
        assert_eq!(batch(100_000, 2_000, false), 50);
        assert_eq!(batch(100_000, 900_000, false), 32);
        assert_eq!(batch(100_000, 200, true), 500);
        assert_eq!(batch(100_000, 100_000, true), 250);
    }
}
