use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::ports::{CacheInvalidation, CacheTarget};

/// More than so many become one for each policy.
const MOST: usize = 1_000;

/// Invalidations that the store has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Owed(Mutex<All>);

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
        self.0.lock().invalidations.is_empty()
    }

    pub(super) fn add(&self, invalidation: CacheInvalidation) {
        let mut all = self.0.lock();
        let origin = invalidation.origin;
        all.invalidations.push(invalidation);
        if all.invalidations.len() > MOST {
            let policies: BTreeSet<_> = all.invalidations.drain(..).map(|it| it.policy).collect();
            all.invalidations =
                policies.into_iter().map(|it| CacheInvalidation::new(it, CacheTarget::All, origin)).collect();
            all.turn += 1;
        }
    }

    /// All that there are.
    pub(super) fn batch(&self) -> Batch {
        let all = self.0.lock();
        Batch { invalidations: all.invalidations.clone(), turn: all.turn }
    }

    /// These were taken; answers whether that was all. Equal ones that came since are still owed: what they are for may have come
    /// since, too.
    pub(super) fn settle(&self, batch: &Batch) -> bool {
        let mut all = self.0.lock();
        if all.turn == batch.turn {
            all.invalidations.drain(..batch.invalidations.len());
        }
        all.invalidations.is_empty()
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
