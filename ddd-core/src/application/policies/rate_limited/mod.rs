//! `#[rate_limited]`: so much per period.
//!
//! Read in this order: [`RateLimitedCell`], [`limiter`], then [`gate`] (without keys), [`table`] (with keys), [`queue`] and
//! [`shared`].

mod admission;
mod cell;
mod gate;
mod handle;
mod limiter;
mod no_room;
mod policy;
mod queue;
mod shared;
mod table;
mod word;

pub use admission::Admission;
pub use cell::RateLimitedCell;
pub use handle::LimitHandle;
pub(crate) use shared::set_limit_store;
