//! Circuit breakers: when calls stop for a while, because what they call fails too often.
//!
//! Read in this order: [`CircuitBreakerSettings`], [`Window`], the calls in it, and [`Circuit`], which decides.

mod circuit;
mod recent;
mod settings;
mod verdict;
mod window;

pub use circuit::{Admission, Circuit, CircuitState, Hold, Transition};
pub use recent::Totals;
pub use settings::CircuitBreakerSettings;
pub use verdict::Verdict;
pub use window::Window;
