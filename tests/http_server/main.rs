//! The server over sockets: its bounds, its end, and the streams.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod bounds;
mod ending;
mod events;
mod listening;
mod multiplexed;
mod stream_limits;
mod streams;
mod support;
