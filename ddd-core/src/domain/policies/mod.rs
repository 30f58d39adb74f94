//! What a function policy is: its kind, its place, its settings and the arithmetic of its decisions. Time is passed in.

mod circuit_breaker;
mod kind;
mod refused;
mod retry;
mod site;

pub use circuit_breaker::{
    Admission, Circuit, CircuitBreakerSettings, CircuitState, Hold, Totals, Transition as CircuitTransition, Verdict,
    Window,
};
pub use kind::PolicyKind;
pub use refused::{Refused, RefusedKind};
pub use retry::{Attempt, Budget, End, RetrySettings, Step};
pub use site::Site;
