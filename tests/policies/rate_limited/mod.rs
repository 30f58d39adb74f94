//! `#[rate_limited]`, by its cell.

mod contract;
mod keys;
mod live;
mod patterns;
mod shared;
mod threads;
mod waiting;
