//! The atomics of the policies' own concurrent parts. The model checker puts its own in their place.

pub(super) use std::sync::atomic::{AtomicU64, Ordering};

pub(super) use parking_lot::Mutex;
