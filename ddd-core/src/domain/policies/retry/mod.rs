//! Retries inside a call: how often, after what pause, and for how long.

mod attempt;

pub use attempt::Attempt;
