//! `#[rate_limited]`, by its cell.

mod contract;
mod keys;
mod live;
mod patterns;
mod threads;
mod waiting;
