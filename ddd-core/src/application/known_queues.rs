//! The queues that this program knows of, so that a slip of the pen is told.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use super::in_force::InForce;
use crate::domain::{Name, closest};

/// The queues that definitions and settings name.
#[derive(Debug)]
pub(crate) struct KnownQueues {
    known: InForce<BTreeSet<Name>>,
    warned: Mutex<BTreeSet<Name>>,
}

impl KnownQueues {
    /// Of how many unknown queues is told: names may be made from data.
    const MOST_WARNED: usize = 100;

    pub(crate) const fn new(known: BTreeSet<Name>) -> Self {
        Self { known: InForce::new(known), warned: Mutex::new(BTreeSet::new()) }
    }

    /// From now on these are known.
    #[cfg(feature = "config")]
    pub(crate) fn set(&self, known: BTreeSet<Name>) {
        self.known.set(known);
    }

    pub(crate) fn contains(&self, queue: &str) -> bool {
        self.known.contains(queue)
    }

    /// Warns once of a queue that nothing names. Another process may serve it, so a task for it is taken.
    pub(crate) fn notice(&self, queue: &Name) {
        if self.known.contains(queue) {
            return;
        }
        let mut warned = self.warned.lock();
        if warned.len() < Self::MOST_WARNED && warned.insert(queue.clone()) {
            drop(warned);
            let hint = closest(queue, self.known.iter().map(Name::as_str));
            let hint = hint.map(|it| format!("; did you mean `{it}`?")).unwrap_or_default();
            tracing::warn!(%queue, "no definition and no setting of this program names the queue `{queue}`: its tasks wait \
                until a worker serves it{hint}");
        }
    }
}
