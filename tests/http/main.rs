//! The HTTP layer, asked in this process: routes, access, validation and problems.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod access;
mod changing;
mod health;
mod log;
mod mounting;
mod own_routes;
mod submitting;
mod support;
mod tasks;
mod telling;
mod watching;
