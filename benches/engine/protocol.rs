//! The two ways in which an engine is put to work, the same for all of them.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use cpu_time::ProcessTime;
use tokio::runtime::{Builder, Runtime};

/// How many bodies each engine may run at once.
pub(crate) const WORKERS: usize = 4;

/// A task engine, as far as the protocols need one. Its tasks do nothing.
pub(crate) trait Engine: Sized {
    /// A fresh engine that will get so many tasks; its workers do not run yet.
    fn new(tasks: usize) -> impl Future<Output = Self>;

    /// Starts the workers.
    fn start(&mut self) -> impl Future<Output = ()>;

    /// Submits one task, by the call that an application would make.
    fn submit(&mut self) -> impl Future<Output = ()>;

    /// Waits until every task has ended.
    fn finish(&mut self) -> impl Future<Output = ()>;

    /// Takes it down, outside the measured time.
    async fn end(self) {}
}

/// What one run took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// How many tasks there were.
    pub(crate) tasks: usize,
    /// From the first submission to the end of the last one.
    pub(crate) submit: Duration,
    /// From then until every task had ended.
    pub(crate) drain: Duration,
    /// What all threads together worked.
    pub(crate) cpu: Duration,
}

impl Sample {
    /// From the first submission until every task had ended.
    pub(crate) fn total(&self) -> Duration {
        self.submit + self.drain
    }

    /// Tasks per second over `time`.
    pub(crate) fn rate(&self, time: Duration) -> f64 {
        self.tasks as f64 / time.as_secs_f64()
    }

    /// Processor time for each task, in nanoseconds.
    pub(crate) fn cpu_each(&self) -> f64 {
        self.cpu.as_nanos() as f64 / self.tasks as f64
    }
}

/// Two worker threads, whatever the machine has, so that figures from different machines speak of the same thing. The
/// submitter has a third, that of `block_on`.
pub(crate) fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Submits while the workers run.
pub(crate) fn overlapped<E: Engine>(tasks: usize) -> Sample {
    run::<E>(tasks, async {
        let mut engine = E::new(tasks).await;
        engine.start().await;
        // The workers are up and wait, as they do in a service that has been running for a while.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let watch = Watch::start();
        for _ in 0..tasks {
            engine.submit().await;
        }
        let submitted = Instant::now();
        engine.finish().await;
        (watch.stop(tasks, submitted), engine)
    })
}

/// Submits everything first; the workers start afterwards.
pub(crate) fn fill_then_drain<E: Engine>(tasks: usize) -> Sample {
    run::<E>(tasks, async {
        let mut engine = E::new(tasks).await;
        let watch = Watch::start();
        for _ in 0..tasks {
            engine.submit().await;
        }
        let submitted = Instant::now();
        engine.start().await;
        engine.finish().await;
        (watch.stop(tasks, submitted), engine)
    })
}

/// Each run has a runtime of its own, and takes it down, and the engine with it, outside the measured time.
fn run<E: Engine>(tasks: usize, protocol: impl Future<Output = (Sample, E)>) -> Sample {
    assert!(tasks > 0, "nothing to measure");
    runtime().block_on(async {
        let (sample, engine) = protocol.await;
        engine.end().await;
        sample
    })
}

struct Watch {
    started: Instant,
    cpu: ProcessTime,
}

impl Watch {
    fn start() -> Self {
        Self { cpu: ProcessTime::now(), started: Instant::now() }
    }

    fn stop(&self, tasks: usize, submitted: Instant) -> Sample {
        let drain = submitted.elapsed();
        Sample { tasks, submit: submitted - self.started, drain, cpu: self.cpu.elapsed() }
    }
}
