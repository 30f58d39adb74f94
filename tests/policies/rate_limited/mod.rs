//! `#[rate_limited]`, by its cell.

mod contract;
mod handles;
mod keys;
mod live;
mod patterns;
mod shared;
mod threads;
mod waiting;
