//! How the outside gives what the ports ask for.

mod clock;
#[cfg(feature = "config")]
pub(crate) mod configuration;
mod inventory;
pub(crate) mod memory;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "postgres")]
mod sql;

pub use clock::SystemClock;
pub(crate) use inventory::linked_policies;
pub use inventory::{PolicyRegistration, Registration, linked};
