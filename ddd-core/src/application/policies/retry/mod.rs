//! `#[retry]`: the attempts of one call, the pauses between them, and the budget that they share with other functions.

mod attempts;
mod budget;
mod cell;
mod state;

pub use attempts::{Attempts, Next, Pause};
pub use cell::RetryCell;
