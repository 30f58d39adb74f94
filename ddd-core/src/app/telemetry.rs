//! Sets up what a process tells of itself.

use std::{fmt, io::Write, path::PathBuf, sync::OnceLock};

use tracing::Dispatch;

#[cfg(feature = "config")]
use crate::application::Configuration;
use crate::{
    application::{make_span, may_be_late},
    domain::{LogLevel, LogLevels},
    infrastructure::telemetry::{
        Filter, Late, Lines, LogFormat, LogLayer, Panics, Sink, TelemetryError, install_panic_hook, is_in_force, lines,
    },
};

static INSTALLED: OnceLock<Telemetry> = OnceLock::new();

/// What was set up: the levels can be changed through it.
///
/// ```standalone_crate
/// use ddd_core::telemetry::{LogFormat, Telemetry, TelemetryError};
///
/// # fn main() -> Result<(), TelemetryError> {
/// let telemetry = Telemetry::builder().format(LogFormat::Json).level("info,my_service=debug").install()?;
/// tracing::info!(order = 4711, "paid"); // {"timestamp":…,"level":"INFO",…,"message":"paid","order":4711}
/// telemetry.set_level("warn")?;
///
/// let again = Telemetry::builder().install();
/// assert!(matches!(again, Err(TelemetryError::AlreadyInstalled)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Telemetry {
    filter: Filter,
}

impl Telemetry {
    /// Says what is to be set up. Without another word: text for people at level `info` to standard error, and panics in it.
    #[must_use]
    pub fn builder() -> TelemetryBuilder {
        TelemetryBuilder {
            levels: Ok(LogLevels::all(LogLevel::Info)),
            format: Ok(LogFormat::default()),
            output: Output::Stderr,
            panics: Panics::default(),
        }
    }

    /// What was set up in this process; `None` if nothing was.
    #[must_use]
    pub fn installed() -> Option<Self> {
        INSTALLED.get().cloned()
    }

    /// Writes from now on at these levels: one for everything, and any for parts, as in `info,my_service=debug`.
    ///
    /// # Errors
    /// They cannot be read; nothing has changed.
    pub fn set_level(&self, levels: &str) -> Result<(), TelemetryError> {
        self.set_levels(levels.parse()?);
        Ok(())
    }

    /// The same for levels that are read already.
    pub fn set_levels(&self, levels: LogLevels) {
        self.filter.set(levels);
    }

    /// The levels in force.
    #[must_use]
    pub fn levels(&self) -> LogLevels {
        self.filter.levels()
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("levels", &self.levels().to_string()).finish_non_exhaustive()
    }
}

/// Writes from now on at these levels: [`Telemetry::set_level`] of what was set up in this process.
///
/// # Errors
/// They cannot be read, or nothing was set up; nothing has changed.
pub fn set_level(levels: &str) -> Result<(), TelemetryError> {
    let levels = levels.parse()?;
    INSTALLED.get().ok_or(TelemetryError::NotInstalled)?.set_levels(levels);
    Ok(())
}

/// Where lines go to.
enum Output {
    Stdout,
    Stderr,
    File(PathBuf),
    Writer(Box<dyn Write + Send>),
}

/// Says what is to be set up. What is said later beats what was said before.
#[must_use = "nothing is set up before `install`"]
pub struct TelemetryBuilder {
    levels: Result<LogLevels, TelemetryError>,
    format: Result<LogFormat, TelemetryError>,
    output: Output,
    panics: Panics,
}

impl TelemetryBuilder {
    /// As `log.level` and `log.format` of this configuration say.
    #[cfg(feature = "config")]
    pub fn configuration(self, configuration: &Configuration) -> Self {
        let explained = configuration.explain();
        let value = |key: &str| explained.settings.iter().find(|it| it.key == key).map(|it| it.value.as_str());
        let this = match value("log.level") {
            Some(levels) => self.level(levels),
            None => self,
        };
        match value("log.format") {
            Some(format) => Self { format: format.parse(), ..this },
            None => this,
        }
    }

    /// Writes at these levels: one for everything, and any for parts, as in `info,my_service=debug`; `info` unless set.
    pub fn level(self, levels: &str) -> Self {
        Self { levels: levels.parse().map_err(TelemetryError::from), ..self }
    }

    /// The same for levels that are read already.
    pub fn levels(self, levels: LogLevels) -> Self {
        Self { levels: Ok(levels), ..self }
    }

    /// Writes lines in this form; for people unless set.
    pub fn format(self, format: LogFormat) -> Self {
        Self { format: Ok(format), ..self }
    }

    /// Writes to standard output.
    pub fn to_stdout(self) -> Self {
        Self { output: Output::Stdout, ..self }
    }

    /// Writes to standard error, as it does unless told otherwise.
    pub fn to_stderr(self) -> Self {
        Self { output: Output::Stderr, ..self }
    }

    /// Appends to this file, and makes it if it is not there. Each line is written at once, so none is lost with the
    /// process.
    pub fn to_file(self, path: impl Into<PathBuf>) -> Self {
        Self { output: Output::File(path.into()), ..self }
    }

    /// Writes to this writer: each line by one `write_all` and one `flush`. What it logs itself goes nowhere, and its errors
    /// and panics cost the line.
    pub fn to_writer(self, writer: impl Write + Send + 'static) -> Self {
        Self { output: Output::Writer(Box::new(writer)), ..self }
    }

    /// What becomes of panics; they are logged unless told otherwise.
    pub fn panics(self, panics: Panics) -> Self {
        Self { panics, ..self }
    }

    /// Sets it up for the life of the process.
    ///
    /// # Errors
    /// There is a subscriber already, the levels cannot be read, or the file cannot be opened. Nothing was changed then.
    pub fn install(self) -> Result<Telemetry, TelemetryError> {
        if tracing::dispatcher::has_been_set() && INSTALLED.get().is_some() {
            return Err(TelemetryError::AlreadyInstalled);
        }
        let (levels, format) = (self.levels?, self.format?);
        let sink = match self.output {
            Output::Stdout => Sink::stdout(),
            Output::Stderr => Sink::stderr(),
            Output::File(path) => Sink::file(&path)?,
            Output::Writer(writer) => Sink::writer(writer),
        };
        let filter = Filter::new(levels);
        let log = LogLayer { format, sink, trace: || None };
        let dispatch = Dispatch::new(Late { inner: lines(log, filter.clone()), make_span });
        tracing::dispatcher::set_global_default(dispatch).map_err(|_| TelemetryError::AlreadyInstalled)?;
        may_be_late(is_in_force::<Lines>);
        install_panic_hook(self.panics);
        let telemetry = Telemetry { filter };
        // The subscriber could be set, so nobody else has come this far.
        let _ = INSTALLED.set(telemetry.clone());
        Ok(telemetry)
    }
}

impl fmt::Debug for TelemetryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryBuilder").field("levels", &self.levels).field("format", &self.format).finish_non_exhaustive()
    }
}
