//! What a function policy is: its kind, its place, its settings and the arithmetic of its decisions. Time is passed in.

mod cached;
mod circuit_breaker;
mod kind;
mod refused;
mod retry;
mod site;

pub use cached::{CachedSettings, Scope, Stored, Tag};
pub use circuit_breaker::Verdict;
pub use kind::PolicyKind;
pub use refused::{Refused, RefusedKind};
pub use retry::Attempt;
pub use site::Site;
