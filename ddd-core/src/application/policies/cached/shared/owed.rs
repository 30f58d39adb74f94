use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;

use crate::ports::{CacheInvalidation, CacheTarget};

/// More than so many become one for each policy.
const MOST: usize = 1_000;

/// Invalidations that the store has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Owed {
    all: Mutex<All>,
    /// Whether the store did not take some of them when it was told. Until it does, it may hold what this process knows to be
    /// outdated. Written with the lock, so that nobody takes back what came since; read without.
    is_behind: AtomicBool,
}

#[derive(Debug, Default)]
struct All {
    invalidations: Vec<CacheInvalidation>,
    /// Goes on when those that came before are put together.
    turn: u64,
}

/// Some of them, on their way.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) invalidations: Vec<CacheInvalidation>,
    turn: u64,
}

impl Owed {
    pub(super) fn is_empty(&self) -> bool {
        self.all.lock().invalidations.is_empty()
    }

    pub(super) fn add(&self, invalidation: CacheInvalidation) {
        let mut all = self.all.lock();
        let origin = invalidation.origin;
        all.invalidations.push(invalidation);
        if all.invalidations.len() > MOST {
            let policies: BTreeSet<_> = all.invalidations.drain(..).map(|it| it.policy).collect();
            all.invalidations =
                policies.into_iter().map(|it| CacheInvalidation::new(it, CacheTarget::All, origin)).collect();
            all.turn += 1;
        }
    }

    /// What is still owed was not taken.
    pub(super) fn fall_behind(&self) {
        let all = self.all.lock();
        self.is_behind.store(!all.invalidations.is_empty(), Ordering::Release);
    }

    pub(super) fn is_behind(&self) -> bool {
        self.is_behind.load(Ordering::Acquire)
    }

    /// All that there are.
    pub(super) fn batch(&self) -> Batch {
        let all = self.all.lock();
        Batch { invalidations: all.invalidations.clone(), turn: all.turn }
    }

    /// These were taken. Equal ones that came since are still owed: what they are for may have come since, too.
    pub(super) fn settle(&self, batch: &Batch) {
        let mut all = self.all.lock();
        if all.turn == batch.turn {
            all.invalidations.drain(..batch.invalidations.len());
        }
        if all.invalidations.is_empty() {
            self.is_behind.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> CacheInvalidation {
        CacheInvalidation::new("policy", CacheTarget::Key(number.to_string().into()), 1)
    }

    #[test]
    fn what_comes_while_others_are_on_their_way_is_still_owed() {
        let owed = Owed::default();
        owed.add(key(1));
        let batch = owed.batch();
        owed.add(key(1));
        owed.settle(&batch);
        assert_eq!(owed.batch().invalidations, [key(1)]);
        owed.settle(&owed.batch());
        assert!(owed.is_empty());
    }

    #[test]
    fn it_is_behind_until_nothing_is_owed() {
        let owed = Owed::default();
        owed.fall_behind();
        assert!(!owed.is_behind(), "nothing is owed");
        owed.add(key(1));
        let batch = owed.batch();
        owed.add(key(2));
        owed.fall_behind();
        owed.settle(&batch);
        assert!(owed.is_behind(), "one came since");
        owed.settle(&owed.batch());
        assert!(!owed.is_behind());
    }

    #[test]
    fn too_many_become_one_for_each_policy() {
        let owed = Owed::default();
        owed.add(CacheInvalidation::new("another", CacheTarget::All, 1));
        (0..MOST - 1).for_each(|it| owed.add(key(it)));
        let batch = owed.batch();
        assert_eq!(batch.invalidations.len(), MOST);
        owed.add(key(MOST));
        let all = |policy| CacheInvalidation::new(policy, CacheTarget::All, 1);
        assert_eq!(owed.batch().invalidations, [all("another"), all("policy")]);
        owed.settle(&batch);
        assert_eq!(owed.batch().invalidations.len(), 2, "none of them was on its way");
    }
}
