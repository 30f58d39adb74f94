//! `#[rate_limited]`, by its cell.

mod contract;
mod patterns;
