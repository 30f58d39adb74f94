//! Operating the engine: shutting down, trouble with the store, schedules, wiring, the registry, queries, control, hooks.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod registry;
mod rules;
mod schedules;
mod shutdown;
mod shutdown_bound;
mod shutdown_trouble;
mod signals;
mod support;
mod trouble;
mod troubled;
mod wiring;
