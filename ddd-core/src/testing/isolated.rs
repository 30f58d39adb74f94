//! Function policies in a test: state and time of its own.

use std::{future::Future, sync::Arc};

use tokio::time::Instant;

use crate::{application::Isolation, domain::Moment};

/// Runs a future with function policies of its own: caches are empty, limits are unused, circuits are closed, and time is
/// the runtime's, which a test with paused time moves. What the future does to them no other test sees.
///
/// It holds for what the future awaits, and for the bodies of tasks of an application that [`builder`](super::builder) begins in
/// there; not for what else is spawned.
pub async fn isolated<F: Future>(future: F) -> F::Output {
    let started = Instant::now();
    let clock = move || moment_of(started);
    Isolation::new(clock).scope(future).await
}

/// The same under a clock of the test's: it may stand still, jump, or go back.
pub async fn isolated_with_clock<F: Future>(
    clock: impl Fn() -> Moment + Send + Sync + 'static,
    future: F,
) -> F::Output {
    Isolation::new(clock).scope(future).await
}

/// Function policies of a test's own, to be shared by the futures that it spawns.
#[derive(Clone, Debug)]
pub struct IsolatedPolicies(Arc<Isolation>);

impl IsolatedPolicies {
    /// Unused policies, under the runtime's time.
    #[must_use]
    pub fn start() -> Self {
        let started = Instant::now();
        Self(Isolation::new(move || moment_of(started)))
    }

    /// Runs a future with them.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        self.0.clone().scope(future).await
    }
}

/// One hour after the start of the test, so that there is a past.
fn moment_of(started: Instant) -> Moment {
    const PAST: u64 = 3_600_000_000_000;
    let elapsed = Instant::now().saturating_duration_since(started);
    Moment::from_nanos(PAST.saturating_add(u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)))
}
