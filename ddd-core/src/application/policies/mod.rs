//! Function policies: what the attributes on functions do when the function is called.
//!
//! A policy's state belongs to its function: a static cell in the function's body, which works without an application.
//! Read in this order: [`ambient`] (time, and a test's own state), [`StateCell`], [`Policies`], then one folder each.

mod ambient;
#[allow(dead_code, unused_imports, reason = "the policies that use it come next")]
mod atomics;
mod cached;
mod catalogue;
mod retry;
mod settings;
mod state_cell;
mod stripes;

#[cfg(feature = "test-util")]
pub(crate) use ambient::Isolation;
pub use cached::{CacheHandle, CachedCell, Fill, HandleRules, IntoFill, Lookup, Parts};
pub use catalogue::{Policies, PolicyError, PolicyInfo};
pub use retry::{Attempts, Next, Pause, RetryCell};
