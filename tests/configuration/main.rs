//! Configuration, through the public interface.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bad;
mod layers;
mod original;
mod secrets;
mod support;
