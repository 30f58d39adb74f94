//! `#[timeout]`: a deadline for the body.

mod cell;

pub use cell::TimeoutCell;
