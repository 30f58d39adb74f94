//! The policies' own atomics, under every order in which threads can run: loom puts its atomics in the place of the standard
//! ones, and tries them all.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

/// What the modules under test find where theirs would be.
mod atomics {
    pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

    /// The lock of the modules under test, which knows no poison.
    pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(loom::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }
}

/// The same for the domain.
mod domain {
    pub(crate) use ddd_core::domain::{Exceeded, LimitPlan, LimitState, LimitUsage, Moment, Refill, Standing};
}

mod circuit_breaker;
mod rate_limited;
