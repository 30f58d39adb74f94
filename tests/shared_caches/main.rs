//! Caches that processes have in common, through the attribute: several processes over one store.
//!
//! A program of its own: with such a cache, an application that is given no store for it does not start.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a failed unwrap is a failed test")]

mod away;
mod contract;
mod entries;
mod fences;
mod handles;
mod kinds;
mod overtaken;
mod support;
mod wiring;
