use std::path::PathBuf;

use crate::domain::InvalidLogLevel;

/// Telemetry could not be set up, or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// Something in this process takes its events already.
    #[error(
        "this process has a `tracing` subscriber already: set up telemetry once, at the beginning of `main`, and no other \
         subscriber"
    )]
    AlreadyInstalled,
    /// Nothing was set up that could be changed.
    #[error("telemetry is not set up: call `Telemetry::builder().install()` at the beginning of `main`")]
    NotInstalled,
    /// The levels cannot be read.
    #[error(transparent)]
    Level(#[from] InvalidLogLevel),
    /// The form of the lines is none.
    #[error("`{0}` is no form of logs; write `json` or `pretty`")]
    Format(String),
    /// The file for the lines cannot be opened.
    #[error("the log file `{}` cannot be opened for writing", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Traces and metrics cannot be exported as told.
    #[error("{0}")]
    Export(String),
}
