//! Rate limits: so much per period.
//!
//! Read in this order: [`Strategy`], [`LimitPlan`], then the ways to count: [`sliding`], [`bucket`], [`fixed`].

mod bucket;
mod exceeded;
mod fixed;
mod limit_key;
mod more_limits;
mod plan;
mod refill;
mod rule;
mod settings;
mod sliding;
mod state;
mod strategy;
mod window;

pub use exceeded::Exceeded;
pub use limit_key::LimitKey;
pub use more_limits::{Limit, MoreLimits};
pub use plan::{LimitPlan, LimitUsage, Standing};
pub use refill::Refill;
pub use settings::{RateLimitedSettings, WhenUnavailable};
pub use state::LimitState;
pub use strategy::Strategy;
