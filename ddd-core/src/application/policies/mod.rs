//! Function policies: what the attributes on functions do when the function is called.
//!
//! A policy's state belongs to its function: a static cell in the function's body, which works without an application.
//! Read in this order: [`ambient`] (time, and a test's own state), [`StateCell`], [`Policies`], then one folder each.

mod ambient;
mod atomics;
mod bulkhead;
mod cached;
mod catalogue;
mod circuit_breaker;
mod counters;
mod overrides;
mod policy_cell;
mod rate_limited;
mod retry;
mod settings;
mod state_cell;
mod stripes;
mod timeout;

#[cfg(feature = "test-util")]
pub(crate) use ambient::Isolation;
#[cfg(feature = "config")]
pub(crate) use ambient::carried as surrounded;
pub use bulkhead::{BulkheadCell, BulkheadPermit};
pub(crate) use cached::set_cache_store;
pub use cached::{CacheHandle, CachedCell, Fill, HandleRules, IntoFill, Lent, Lookup, Own, Part, Parts};
pub use catalogue::{Policies, PolicyError, PolicyInfo};
pub use circuit_breaker::{Call as CircuitCall, CircuitBreakerCell};
pub use overrides::{PolicyDefaults, PolicyOverrides};
pub(crate) use overrides::{PolicyHold, PolicyWishes, problems as override_problems, push as push_overrides};
#[cfg(feature = "config")]
pub(crate) use overrides::{PolicyPlan, plan as plan_policies};
pub(crate) use rate_limited::set_limit_store;
pub use rate_limited::{Admission, LimitHandle, RateLimitedCell};
pub use retry::{Attempts, Next, Pause, RetryCell};
pub use timeout::TimeoutCell;
