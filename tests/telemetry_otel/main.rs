//! Traces and metrics, as a collector receives them: one export in each process, as in a service.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod collector;
mod export;
mod processes;
