//! What a function policy is: its kind, its place, its settings and the arithmetic of its decisions. Time is passed in.

mod bulkhead;
mod cached;
mod circuit_breaker;
mod kind;
mod rate_limited;
mod refused;
mod retry;
mod scope;
mod site;
mod timeout;

pub use bulkhead::BulkheadSettings;
pub use cached::{CacheEnvelope, CachedSettings, Freshness, Spans, Stored, Tag};
pub use circuit_breaker::{
    Admission, Circuit, CircuitBreakerSettings, CircuitState, Hold, Totals, Transition as CircuitTransition, Verdict,
    Window,
};
pub use kind::PolicyKind;
pub use rate_limited::{
    Exceeded, Limit, LimitKey, LimitPlan, LimitUsage, MoreLimits, RateLimitedSettings, Refill, Standing, Strategy,
    WhenUnavailable,
};
pub use refused::{Refused, RefusedKind};
pub use retry::{Attempt, Budget, End, RetrySettings, Step};
pub use scope::Scope;
pub use site::Site;
pub use timeout::TimeoutSettings;
