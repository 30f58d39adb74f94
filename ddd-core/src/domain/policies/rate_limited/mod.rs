//! Rate limits: so much per period.

mod more_limits;
mod settings;
mod strategy;

pub use more_limits::{Limit, MoreLimits};
pub use settings::{RateLimitedSettings, WhenUnavailable};
pub use strategy::Strategy;
