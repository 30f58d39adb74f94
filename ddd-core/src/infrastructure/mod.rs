//! How the outside gives what the ports ask for.

mod clock;
#[cfg(feature = "config")]
pub(crate) mod configuration;
mod inventory;
pub(crate) mod memory;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg_attr(
    not(all(feature = "postgres", feature = "sqlite")),
    allow(dead_code, unused_imports, reason = "each store uses its part")
)]
mod sql;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(feature = "telemetry")]
pub(crate) mod telemetry;

pub use clock::SystemClock;
pub(crate) use inventory::linked_policies;
pub use inventory::{PolicyRegistration, Registration, linked};
