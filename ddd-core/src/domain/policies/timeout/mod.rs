//! Timeouts: how long a call may take.

mod settings;

pub use settings::TimeoutSettings;
