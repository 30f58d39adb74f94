//! Which queues have no bound, as was seen a moment ago.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::RwLock;

/// So long it is believed that a queue still has no bound.
const BELIEVED: Duration = Duration::from_millis(100);

/// Queues without a bound, by their numbers, and when they were seen so. A lone submission to one of these need not look, which is a
/// tenth of its time. Whoever sets a bound waits until all that was believed before is forgotten, in every process, so no
/// submission that begins after that goes past it. Programs that know nothing of this do not wait, and a machine that was suspended
/// believes on where it stopped: then what is submitted one by one within that time goes past a bound that is new.
#[derive(Debug, Default)]
pub(super) struct Unbounded(RwLock<HashMap<i32, Instant>>);

impl Unbounded {
    /// Notes that these queues had no bound; `at` is before it was looked.
    pub(super) fn note(&self, queues: impl IntoIterator<Item = i32>, at: Instant) {
        self.0.write().extend(queues.into_iter().map(|it| (it, at)));
    }

    /// Whether that was seen of this queue a moment ago.
    pub(super) fn is_believed(&self, queue: i32) -> bool {
        self.0.read().get(&queue).is_some_and(|it| it.elapsed() < BELIEVED)
    }
}

/// Waits until nothing is believed that was seen before.
pub(super) async fn forgotten() {
    let since = Instant::now();
    // Of real time, whatever clock the runtime has.
    while let Some(left) = BELIEVED.checked_sub(since.elapsed()) {
        tokio::time::sleep(left).await;
    }
}
