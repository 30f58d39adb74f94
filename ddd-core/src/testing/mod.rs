//! The test kit: virtual time, inline runs, assertions on what was submitted, and the contract of a store as tests.
//!
//! Run a task inline with [`App::execute`](crate::App::execute); move time with [`builder`]; run what is ready with [`drain`];
//! see what was submitted with [`submitted`] and [`assert_submitted!`](crate::assert_submitted); kill a worker with [`crash`];
//! trouble its store with [`FaultyStore`].
//! Authors of stores run [`store_conformance!`] against theirs.

#![allow(clippy::panic, reason = "a test that cannot go on panics")]

pub mod cache_conformance;
mod cache_store;
pub mod conformance;
mod faulty_hints;
mod faulty_store;
mod isolated;
mod kit;
pub mod limit_conformance;
mod limit_store;
mod server;

pub use cache_store::MemoryCacheStore;
pub use faulty_hints::{Hint, HintFault};
pub use faulty_store::{Fault, FaultyStore, StoreCall};
pub use isolated::{IsolatedPolicies, isolated, isolated_with_clock};
pub use kit::{Submitted, VirtualClock, builder, crash, drain, listed, shutdown, submitted};
pub use limit_store::MemoryLimitStore;

#[doc(inline)]
pub use crate::{cache_store_conformance, limit_store_conformance, store_conformance};
