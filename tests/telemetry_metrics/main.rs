//! Metrics: what is emitted is what the table in `docs/metrics.md` says. One recorder for the process, as in a service.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod emitted;
mod recorder;
