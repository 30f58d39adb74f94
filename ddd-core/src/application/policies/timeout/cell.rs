use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::Poll,
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::{
    task::coop::unconstrained,
    time::{Instant, sleep_until},
};

use super::super::{
    counters::Counters,
    policy_cell::{PolicyCell, PolicySettings},
    settings::shown,
    state_cell::{Held, StateCell},
};
use crate::domain::{PolicyKind, Refused, RefusedKind, Site, TimeoutSettings, nanos};

/// `#[timeout]` of one function.
#[derive(Debug)]
pub struct TimeoutCell {
    site: Site,
    annotated: TimeoutSettings,
    state: StateCell<State>,
}

#[derive(Debug)]
struct State {
    /// The same as in the settings, in nanoseconds, where every call can read it.
    duration: AtomicU64,
    effective: Mutex<TimeoutSettings>,
    /// Those that ended [`IN_TIME`], and those that [`TIMED_OUT`].
    calls: Counters<2>,
}

const IN_TIME: usize = 0;
const TIMED_OUT: usize = 1;

impl TimeoutCell {
    /// The timeout of the function at `site`.
    #[must_use]
    pub const fn new(site: Site, settings: TimeoutSettings) -> Self {
        Self { site, annotated: settings, state: StateCell::new() }
    }

    /// Runs `body` until its end or the deadline, whichever comes first; at the deadline it is dropped, or left to the caller if
    /// it is only borrowed. A body that ends when it is first polled sets no timer, and needs no runtime.
    ///
    /// # Errors
    /// The deadline, or what the body was refused.
    ///
    /// # Panics
    /// The body waits, and there is no tokio runtime with its timer enabled.
    pub async fn within<R, F>(&'static self, body: F) -> Result<R, Refused>
    where
        F: Future<Output = Result<R, Refused>>,
    {
        let state = self.state();
        // The clock is read before the body does anything, so that what it computes before its first wait counts.
        let deadline = Instant::now().checked_add(Duration::from_nanos(state.duration.load(Ordering::Relaxed)));
        let (mut body, mut timer) = (pin!(body), pin!(None));
        poll_fn(|context| {
            if let Poll::Ready(outcome) = body.as_mut().poll(context) {
                state.calls.count(IN_TIME);
                return Poll::Ready(outcome);
            }
            // So far ahead that no clock shows it: never.
            let Some(deadline) = deadline else { return Poll::Pending };
            if timer.is_none() {
                // A body that used up its share of the thread must not keep the deadline from being seen.
                timer.set(Some(unconstrained(sleep_until(deadline))));
            }
            let Some(timer) = timer.as_mut().as_pin_mut() else { return Poll::Pending };
            timer.poll(context).map(|()| {
                state.calls.count(TIMED_OUT);
                Err(Refused::new(RefusedKind::TimedOut, self.site.name, None))
            })
        })
        .await
    }

    fn state(&'static self) -> Held<State> {
        self.state.get(|| State::new(self.annotated.clone()))
    }
}

impl State {
    fn new(settings: TimeoutSettings) -> Self {
        let duration = AtomicU64::new(nanos(settings.duration));
        Self { duration, effective: Mutex::new(settings), calls: Counters::default() }
    }
}

impl PolicySettings for TimeoutSettings {
    const KIND: PolicyKind = PolicyKind::Timeout;

    fn problems(&self) -> Vec<String> {
        self.problems()
    }
}

impl PolicyCell for TimeoutCell {
    type Settings = TimeoutSettings;

    fn site(&self) -> &Site {
        &self.site
    }

    fn annotated(&self) -> &TimeoutSettings {
        &self.annotated
    }

    fn look<T>(&'static self, look: impl FnOnce(&TimeoutSettings) -> T) -> T {
        look(&self.state().effective.lock())
    }

    fn adopt<E>(&'static self, next: impl FnOnce(&TimeoutSettings) -> Result<TimeoutSettings, E>) -> Result<(), E> {
        let state = self.state();
        let mut effective = state.effective.lock();
        let settings = next(&effective)?;
        state.duration.store(nanos(settings.duration), Ordering::Relaxed);
        *effective = settings;
        Ok(())
    }

    fn figures(&'static self) -> Map<String, Value> {
        let state = self.state();
        shown(&json!({"in_time": state.calls.sum(IN_TIME), "timed_out": state.calls.sum(TIMED_OUT)}))
    }

    fn reset_figures(&'static self) {
        self.state().calls.reset();
    }

    /// A timeout remembers nothing.
    fn clear(&'static self) {}
}
