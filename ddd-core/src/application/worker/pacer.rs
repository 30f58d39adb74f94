use std::sync::Arc;

use tokio::time::{Instant, timeout};

use super::shared::Shared;

/// Wakes a slot when a task becomes ready by itself, and now and then for what no hint told of. Slots that wait set no
/// timers of their own.
pub(crate) async fn live(shared: Arc<Shared>) {
    let interval = shared.services.settings.poll_interval;
    let mut last = Instant::now();
    while !shared.feed.is_closed() {
        // Workers that started together do not poll together.
        let poll_at = last + interval.mul_f64(0.9 + 0.2 * fastrand::f64());
        let at = shared.feed.next_at().map_or(poll_at, |it| it.min(poll_at));
        let wait = at.saturating_duration_since(Instant::now());
        if timeout(wait, shared.feed.pace_changed()).await.is_err() {
            last = Instant::now();
            shared.feed.look();
        }
    }
}
