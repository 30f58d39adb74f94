//! What `#[task]` makes of functions, seen through the public interface.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod bodies;
mod hygiene;
mod keys;
mod params;
mod registration;
mod submitted;
mod support;
