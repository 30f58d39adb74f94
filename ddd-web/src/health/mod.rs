//! How the service is.

mod checks;
mod report;
mod routes;
mod state;

pub(crate) use checks::{Check, Thresholds};
pub(crate) use routes::{all, known, live, ping, ready};
pub(crate) use state::Health;
