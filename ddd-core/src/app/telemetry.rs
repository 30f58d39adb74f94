//! Sets up what a process tells of itself.

use std::{fmt, io::Write, path::PathBuf, sync::OnceLock};

#[cfg(feature = "otel")]
use std::time::Duration;

use tracing::Dispatch;

#[cfg(feature = "config")]
use crate::application::Configuration;
#[cfg(feature = "otel")]
use crate::application::set_tracer;
#[cfg(feature = "otel")]
use crate::infrastructure::telemetry::otel::{
    About, Exported, OtelRecorder, OtelTracer, Otlp, current, lines_and_spans,
};
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
    #[cfg(feature = "otel")]
    exported: Option<Exported>,
}

impl Telemetry {
    /// Says what is to be set up. Without another word: text for people at level `info` to standard error, and panics in it.
    pub fn builder() -> TelemetryBuilder {
        TelemetryBuilder {
            levels: Ok(LogLevels::all(LogLevel::Info)),
            format: Ok(LogFormat::default()),
            output: Output::Stderr,
            panics: Panics::default(),
            #[cfg(feature = "otel")]
            about: About::default(),
            #[cfg(feature = "otel")]
            export: None,
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

    /// Whether this process exports metrics.
    #[cfg(feature = "otel")]
    pub(crate) fn exports() -> bool {
        INSTALLED.get().is_some_and(|it| it.exported.is_some())
    }

    /// Sends the traces and metrics that have been collected. Answers whether the collector took all of them in time.
    #[cfg(feature = "otel")]
    pub async fn flush(&self, within: Duration) -> bool {
        self.blocking(within, |it| it.flush()).await
    }

    /// The same, and exports nothing from then on: the last call of `main`. It returns in time, whatever the collector does.
    #[cfg(feature = "otel")]
    pub async fn shutdown(&self, within: Duration) -> bool {
        self.blocking(within, move |it| it.shutdown(within)).await
    }

    #[cfg(feature = "otel")]
    async fn blocking(&self, within: Duration, work: impl FnOnce(&Exported) -> bool + Send + 'static) -> bool {
        let Some(exported) = self.exported.clone() else { return true };
        let (sender, done) = tokio::sync::oneshot::channel();
        // A thread of its own: one of the runtime's would be waited for when the runtime ends.
        let work = move || {
            // Nobody waits for it any more if it took too long.
            let _ = sender.send(work(&exported));
        };
        if std::thread::Builder::new().name("ddd-otlp-flush".to_owned()).spawn(work).is_err() {
            return false;
        }
        matches!(tokio::time::timeout(within, done).await, Ok(Ok(true)))
    }
}

impl Telemetry {
    fn dispatch(&self, format: LogFormat, sink: Sink) -> Dispatch {
        #[cfg(feature = "otel")]
        if let Some(exported) = &self.exported {
            let log = LogLayer { format, sink, trace: current };
            return Dispatch::new(lines_and_spans(exported, log, self.filter.clone()));
        }
        let log = LogLayer { format, sink, trace: || None };
        Dispatch::new(Late { inner: lines(log, self.filter.clone()), make_span })
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
    #[cfg(feature = "otel")]
    about: About,
    #[cfg(feature = "otel")]
    export: Option<Otlp>,
}

impl TelemetryBuilder {
    /// As `log.level` and `log.format` of this configuration say. `app.name`, `app.version` and `app.environment` go with
    /// what is exported.
    #[cfg(feature = "config")]
    pub fn configuration(mut self, configuration: &Configuration) -> Self {
        let explained = configuration.explain();
        let is_set = |it: &&str| *it != "(not set)";
        let value =
            |key: &str| explained.settings.iter().find(|it| it.key == key).map(|it| it.value.as_str()).filter(is_set);
        if let Some(levels) = value("log.level") {
            self.levels = levels.parse().map_err(TelemetryError::from);
        }
        if let Some(format) = value("log.format") {
            self.format = format.parse();
        }
        #[cfg(feature = "otel")]
        {
            let value = |key| value(key).map(str::to_owned);
            self.about.name = value("app.name").or(self.about.name);
            self.about.version = value("app.version").or(self.about.version);
            self.about.environment = value("app.environment").or(self.about.environment);
        }
        self
    }

    /// The service's name and version go with what is exported.
    #[cfg(feature = "otel")]
    pub fn service(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        (self.about.name, self.about.version) = (Some(name.into()), Some(version.into()));
        self
    }

    /// Where it runs (`production`, `staging`) goes with what is exported.
    #[cfg(feature = "otel")]
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.about.environment = Some(environment.into());
        self
    }

    /// Exports traces and metrics as well. Levels hold for spans too, but for those of requests and tasks, which are always
    /// there.
    #[cfg(feature = "otel")]
    pub fn otlp(self, export: Otlp) -> Self {
        Self { export: Some(export), ..self }
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
        if tracing::dispatcher::has_been_set() {
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
        let telemetry = Telemetry {
            filter,
            #[cfg(feature = "otel")]
            exported: self.export.map(|it| it.start(&self.about)).transpose()?,
        };
        let dispatch = telemetry.dispatch(format, sink);
        tracing::dispatcher::set_global_default(dispatch).map_err(|_| TelemetryError::AlreadyInstalled)?;
        may_be_late(is_in_force::<Lines>);
        #[cfg(feature = "otel")]
        if let Some(exported) = &telemetry.exported {
            set_tracer(std::sync::Arc::new(OtelTracer));
            // Where the service has a recorder of its own, its metrics go there.
            let _ = metrics::set_global_recorder(OtelRecorder::new(exported.meter()));
        }
        install_panic_hook(self.panics);
        // The subscriber could be set, so nobody else has come this far.
        let _ = INSTALLED.set(telemetry.clone());
        Ok(telemetry)
    }
}

impl fmt::Debug for TelemetryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryBuilder")
            .field("levels", &self.levels)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
