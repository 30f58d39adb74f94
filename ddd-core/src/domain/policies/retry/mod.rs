//! Retries inside a call: how often, after what pause, and for how long.

mod attempt;
mod budget;
mod settings;

pub use attempt::{Attempt, End, Step};
pub use budget::Budget;
pub use settings::RetrySettings;
