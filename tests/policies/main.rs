//! Function policies, through the attributes and at run time.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod bulkhead;
mod cached;
mod changes;
mod circuit_breaker;
mod circuit_model;
mod circuit_threads;
mod guarded;
mod hygiene;
mod rate_limited;
mod retry;
mod support;
mod timeout;
