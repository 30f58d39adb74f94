//! A limit without keys: one for all calls, which threads take from without a lock where that is possible.

use super::{
    super::atomics::{AtomicU64, Mutex, Ordering},
    word::{UNKNOWN, read, written},
};
use crate::domain::{Exceeded, LimitPlan, LimitUsage, Moment, Refill, Standing};

/// The limit's state, and a word that says ahead what calls may do by themselves.
///
/// Whoever holds the lock takes the word out ([`UNKNOWN`] sends all others to the lock), adds what it gave to the state, decides,
/// and puts the next word in. So the word is part of the state while it is in, and calls change it by exchanging it for the
/// one they computed from it: an exchange that fails means that somebody else was there, and begins anew.
pub(super) struct Gate {
    word: AtomicU64,
    /// How the bucket fills that the word may be about: read after the word, and changed only while the word is out.
    interval: AtomicU64,
    capacity: AtomicU64,
    kept: Mutex<Kept>,
}

struct Kept {
    plan: LimitPlan,
    /// What was used, less what the word gave away.
    usage: LimitUsage,
    /// What the word said when it was put in.
    word: Standing,
}

impl Gate {
    pub(super) fn new(plan: LimitPlan) -> Self {
        let (usage, refill) = (plan.unused(), plan.refill());
        Self {
            word: AtomicU64::new(UNKNOWN),
            interval: AtomicU64::new(refill.interval),
            capacity: AtomicU64::new(refill.capacity),
            kept: Mutex::new(Kept { plan, usage, word: Standing::Unknown }),
        }
    }

    /// Takes `cost`, or nothing.
    #[inline]
    pub(super) fn take(&self, cost: u32, now: Moment) -> Result<(), Exceeded> {
        let mut word = self.word.load(Ordering::Acquire);
        loop {
            let next = match read(word) {
                Standing::Lease { until, left } if now < until && cost <= left => {
                    written(Standing::Lease { until, left: left - cost })
                }
                Standing::Bucket(full_at) => match self.refill().take(full_at, cost, now) {
                    Ok(full_at) => written(Standing::Bucket(full_at)),
                    Err(exceeded) => {
                        // How it fills may have changed after the word was read: then the word has, too.
                        let again = self.word.load(Ordering::Acquire);
                        if again == word {
                            return Err(exceeded);
                        }
                        word = again;
                        continue;
                    }
                },
                // A higher cost waits longer.
                Standing::Closed(until) if now < until && cost == 1 => return Err(Exceeded::Until(until)),
                _ => UNKNOWN,
            };
            if next == UNKNOWN {
                return self.decide(cost, now);
            }
            match self.word.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(()),
                Err(other) => word = other,
            }
        }
    }

    /// How much is used, in thousandths.
    pub(super) fn share(&self, now: Moment) -> u32 {
        self.with(now, |kept| kept.plan.share(&kept.usage, now))
    }

    /// From now on by this plan.
    pub(super) fn adopt(&self, plan: LimitPlan, now: Moment) {
        self.with(now, |kept| {
            let before = kept.plan.standing(&mut kept.usage, now);
            let unused = plan.unused();
            kept.usage = plan.adopt(&kept.plan, std::mem::replace(&mut kept.usage, unused), now);
            // The word must differ from the one before, or a call that read the old one could not know.
            if let (Standing::Bucket(full_at), true) = (before, before == plan.standing(&mut kept.usage, now)) {
                kept.usage.set_bucket(Moment::from_nanos(full_at.as_nanos().saturating_add(1)));
            }
            let refill = plan.refill();
            self.interval.store(refill.interval, Ordering::Release);
            self.capacity.store(refill.capacity, Ordering::Release);
            kept.plan = plan;
        });
    }

    /// Nothing is used any more.
    pub(super) fn clear(&self, now: Moment) {
        self.with(now, |kept| kept.usage = kept.plan.unused());
    }

    #[cold]
    fn decide(&self, cost: u32, now: Moment) -> Result<(), Exceeded> {
        self.with(now, |kept| kept.plan.take(&mut kept.usage, cost, now))
    }

    /// Does something to the state while the word is out.
    fn with<R>(&self, now: Moment, act: impl FnOnce(&mut Kept) -> R) -> R {
        let mut kept = self.kept.lock();
        let kept = &mut *kept;
        kept.settle(read(self.word.swap(UNKNOWN, Ordering::AcqRel)));
        let answer = act(kept);
        let word = written(kept.plan.standing(&mut kept.usage, now));
        kept.word = read(word);
        self.word.store(word, Ordering::Release);
        answer
    }

    #[inline]
    fn refill(&self) -> Refill {
        Refill { interval: self.interval.load(Ordering::Acquire), capacity: self.capacity.load(Ordering::Acquire) }
    }
}

impl Kept {
    /// Adds what calls took by the word, which now says `after`.
    fn settle(&mut self, after: Standing) {
        match (self.word, after) {
            (Standing::Lease { until, left: before }, Standing::Lease { left, .. }) if left < before => {
                self.usage.leased(before - left, until);
            }
            (_, Standing::Bucket(full_at)) => self.usage.set_bucket(full_at),
            _ => {}
        }
    }
}
