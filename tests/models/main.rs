//! The policies' own atomics, under every order in which threads can run: loom puts its atomics in the place of the standard
//! ones, and tries them all.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

/// What the modules under test find where theirs would be.
mod atomics {
    pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
}

mod circuit_breaker;
