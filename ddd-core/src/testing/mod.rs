//! The test kit: virtual time, inline runs, assertions on what was submitted, and the contract of a store as tests.
//!
//! Run a task inline with [`App::execute`](crate::App::execute); move time with [`builder`]; run what is ready with [`drain`];
//! see what was submitted with [`submitted`] and [`assert_submitted!`](crate::assert_submitted); kill a worker with [`crash`].

#![allow(clippy::panic, reason = "a test that cannot go on panics")]

mod kit;

pub use kit::{Submitted, VirtualClock, builder, crash, drain, shutdown, submitted};
