//! The running engine, through the public interface.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod crash;
mod far_store;
mod give_back;
mod handles;
mod hooks_apart;
mod idempotency;
mod in_line;
mod inject;
mod limits;
mod named;
mod order;
mod outcomes;
mod panics;
mod races;
mod results;
mod retries;
mod secrets;
mod sizes;
mod support;
mod timeouts;
mod unique;
mod unstoppable;
