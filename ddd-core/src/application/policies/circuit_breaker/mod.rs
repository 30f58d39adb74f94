//! `#[circuit_breaker]`: one circuit for a function, or for all functions that name it.
//!
//! Most calls are good calls of a closed circuit, and these share nothing: each thread counts its own ([`good_calls`]), and
//! whoever meets a bad call collects the counts, under the lock, before the circuit decides. Nothing is lost by that: between
//! two bad calls, the order of good ones says nothing.

mod call;
mod cell;
mod good_calls;
mod state;
mod word;

pub use call::Call;
pub use cell::CircuitBreakerCell;
