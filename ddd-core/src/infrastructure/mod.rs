//! How the outside gives what the ports ask for.

mod clock;
mod inventory;
pub mod memory;

pub use clock::SystemClock;
pub use inventory::{Registration, linked};
