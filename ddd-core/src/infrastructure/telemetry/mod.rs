//! Logs: which events are written, in which form, and where to.
//!
//! Read in this order: `layer` (an event becomes a line), `line`, `fields`, `filter`, `late`, `panics`.

mod error;
mod fields;
mod filter;
mod late;
mod layer;
mod line;
#[cfg(feature = "otel")]
pub(crate) mod otel;
mod panics;
mod sink;

use tracing_subscriber::{Registry, layer::Layered, layer::SubscriberExt as _};

pub use error::TelemetryError;
pub use line::LogFormat;
pub use panics::Panics;

pub(crate) use filter::Filter;
pub(crate) use late::{Late, is_in_force};
pub(crate) use layer::LogLayer;
pub(crate) use panics::install as install_panic_hook;
pub(crate) use sink::Sink;

/// What writes lines and nothing else.
pub(crate) type Lines = Layered<Filter, Layered<LogLayer, Registry>>;

/// Writes lines.
pub(crate) fn lines(log: LogLayer, filter: Filter) -> Lines {
    Registry::default().with(log).with(filter)
}
