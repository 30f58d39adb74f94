//! Logs: every line is true, whatever was logged. One subscriber for the whole process, as in a service.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "seeds are printed")]

mod install;
mod levels;
mod lines;
mod secrets;
mod spans;
mod support;
