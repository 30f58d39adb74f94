//! Configuration, through the public interface.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a failed unwrap is a failed test, and seeds are printed")]

mod at_once;
mod bad;
mod generated;
mod hangup;
mod layers;
mod original;
mod reload;
mod reload_hidden;
mod secrets;
mod store_url;
mod support;
mod under_load;
mod web;
