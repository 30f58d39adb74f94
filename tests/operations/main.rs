//! Operating the engine: shutting down, trouble with the store, schedules, wiring, the registry, queries, control, hooks.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::needless_pass_by_value, reason = "the parameters of a task are its own")]

mod control;
mod hooks;
mod left_alone;
mod milestones;
mod options;
mod origins;
mod parked;
mod queries;
mod registry;
mod rules;
mod schedules;
mod shutdown;
mod shutdown_bound;
mod shutdown_trouble;
mod signals;
mod statistics;
mod support;
mod transactions;
mod trouble;
mod wiring;
