//! What a process tells of itself: logs, and with the feature `otel` traces and metrics.
//!
//! Begin with [`Telemetry::builder`]. The guide is
//! [Logging](https://github.com/ddd-rs/ddd/blob/main/docs/logging.md).

#[cfg(feature = "otel")]
pub use crate::infrastructure::telemetry::otel::Otlp;
pub use crate::{
    app::telemetry::{Telemetry, TelemetryBuilder, set_level},
    infrastructure::telemetry::{LogFormat, Panics, TelemetryError},
};
