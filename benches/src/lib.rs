//! What the measurements of this project share: which cases to run, how samples become figures, and how these are printed.
//!
//! The measurements themselves are the bench targets of this package; `docs/benchmarks.md` says what they mean.

mod arguments;
mod backlog;
mod postgres_server;
mod processors;
mod report;
mod samples;

pub use arguments::Arguments;
pub use backlog::Backlog;
pub use postgres_server::{NoServer, PostgresServer};
pub use processors::processor_time;
pub use report::{Better, Case, note};
pub use samples::{interleave, median, percentile};
