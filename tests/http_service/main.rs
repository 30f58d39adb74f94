//! The HTTP layer from outside: the playground as a process, and a caller that knows nothing of it but HTTP.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test, and its log is shown")]

mod access;
mod command_line;
mod documentation;
mod life;
mod logs;
mod quickstart;
mod routes;
mod support;
mod tour;
