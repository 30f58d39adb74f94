//! One side of the comparison: an engine with some telemetry, or none.

use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use ddd_core::{
    App, task,
    telemetry::{LogFormat, Telemetry},
};

/// What tells a process which side it is.
pub(crate) const VARIABLE: &str = "DDD_BENCH_TELEMETRY";

/// Enough for some tenths of a second.
const TASKS: usize = 300_000;
const SLOTS: usize = 4;

#[task]
async fn noop() {}

#[task]
async fn log_a_line() {
    tracing::info!("done");
}

/// A side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Nothing is set up.
    None,
    /// JSON to a file, level `off`.
    Off,
    /// JSON to a file, level `info`: the spans and lines of the engine itself.
    Info,
    /// The same, and each body logs a line.
    Line,
}

impl Side {
    const ALL: [Self; 4] = [Self::None, Self::Off, Self::Info, Self::Line];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Off => "off",
            Self::Info => "info",
            Self::Line => "line",
        }
    }

    /// Which one this process is; `None` if it is to compare them.
    pub(crate) fn of_this_process() -> Option<Self> {
        let name = std::env::var(VARIABLE).ok()?;
        Self::ALL.into_iter().find(|it| it.name() == name)
    }

    /// Tasks per second, and processor time for each in nanoseconds.
    pub(crate) fn sample(self) -> (f64, f64) {
        let file = std::env::temp_dir().join(format!("ddd-bench-telemetry-{}.log", std::process::id()));
        let level = if self == Self::Off { "off" } else { "info" };
        if self != Self::None {
            let builder = Telemetry::builder().format(LogFormat::Json).level(level).to_file(&file);
            builder.install().expect("nothing else is set up");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let sample = runtime.expect("a runtime").block_on(self.run());
        if self != Self::None {
            std::fs::remove_file(file).expect("the file was made");
        }
        sample
    }

    /// The workers are up; the first submission to the last end is measured.
    async fn run(self) -> (f64, f64) {
        let app = App::builder().slots(SLOTS).start().await.expect("the wiring is right");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (began, cpu) = (Instant::now(), ProcessTime::now());
        let mut handles = Vec::with_capacity(TASKS);
        for _ in 0..TASKS {
            let handle = match self {
                Self::Line => app.submit(log_a_line {}).await,
                _ => app.submit(noop {}).await,
            };
            handles.push(handle.expect("the task is taken"));
        }
        while let Some(handle) = handles.pop() {
            handle.result().await.expect("the task succeeded");
        }
        let (took, cpu) = (began.elapsed(), cpu.elapsed());
        app.shutdown(Duration::from_secs(1)).await;
        (TASKS as f64 / took.as_secs_f64(), cpu.as_nanos() as f64 / TASKS as f64)
    }
}
