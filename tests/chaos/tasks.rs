//! The tasks of the harness, and the ledger in which they say what they do. Worker and driver both have them.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use ddd_core::{Refused, Task, TaskContext, bulkhead, ports::Definition, task};

/// A file outside of the store to which every process appends a line for each thing that happens. A line is written by one call
/// to the system, so lines of several processes never mix, and a killed process has written all that it did.
#[derive(Clone, Debug)]
pub(crate) struct Ledger(Arc<File>);

impl Ledger {
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self(Arc::new(OpenOptions::new().create(true).append(true).open(path)?)))
    }

    /// Notes something; what cannot be noted ends the process, since the ledger must not be wrong.
    pub(crate) fn note(&self, line: std::fmt::Arguments<'_>) {
        let line = format!("{line} {} {}\n", std::process::id(), micros());
        if (&*self.0).write_all(line.as_bytes()).is_err() {
            std::process::abort();
        }
    }

    fn body(&self, what: char, context: &TaskContext) {
        self.note(format_args!("{what} {} {} {}", context.id(), context.run(), context.fence().get()));
    }
}

/// Microseconds of the clock that all processes of a machine share.
pub(crate) fn micros() -> u128 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |it| it.as_micros())
}

/// Runs for so long; yields the fence under which it ran.
#[task(timeout = "120s")]
pub(crate) async fn measured(
    number: u32,
    millis: u64,
    #[inject] ledger: Ledger,
    #[inject] context: TaskContext,
) -> Result<u64, String> {
    let _ = number;
    ledger.body('S', &context);
    tokio::time::sleep(Duration::from_millis(millis)).await;
    ledger.body('E', &context);
    Ok(context.fence().get())
}

/// Ends its process.
#[task(timeout = "120s")]
pub(crate) async fn poison(
    number: u32,
    #[inject] ledger: Ledger,
    #[inject] context: TaskContext,
) -> Result<u64, String> {
    let _ = number;
    ledger.body('S', &context);
    std::process::abort()
}

/// The task of a schedule: says which tick it is of.
#[task(timeout = "120s")]
pub(crate) async fn ticked(#[inject] ledger: Ledger, #[inject] context: TaskContext) -> Result<u64, String> {
    ledger.body('S', &context);
    ledger.body('E', &context);
    Ok(context.fence().get())
}

/// Runs where only so many may be at once; the ledger shows who is inside.
#[task(timeout = "120s")]
pub(crate) async fn pressed(
    millis: u64,
    #[inject] ledger: Ledger,
    #[inject] context: TaskContext,
) -> Result<u64, Refused> {
    press(millis, &ledger, &context).await
}

#[bulkhead(1, name = "press", queue = 1_000, wait = "60s")]
async fn press(millis: u64, ledger: &Ledger, context: &TaskContext) -> Result<u64, Refused> {
    ledger.body('S', context);
    tokio::time::sleep(Duration::from_millis(millis)).await;
    ledger.body('E', context);
    Ok(context.fence().get())
}

/// A task as the deployment before knows it.
#[task("versioned", version = 1, timeout = "120s", command = VersionedBefore)]
pub(crate) async fn versioned_before(
    millis: u64,
    #[inject] ledger: Ledger,
    #[inject] context: TaskContext,
) -> Result<u64, String> {
    Ok(noted(millis, &ledger, &context).await)
}

/// The same task in the next deployment, whose parameters the one before could not read.
#[task("versioned", version = 2, timeout = "120s", command = VersionedAfter)]
pub(crate) async fn versioned_after(
    millis: u64,
    #[serde(default)] detail: Option<String>,
    #[inject] ledger: Ledger,
    #[inject] context: TaskContext,
) -> Result<u64, String> {
    let _ = detail;
    Ok(noted(millis, &ledger, &context).await)
}

/// A task that only the next deployment has.
#[task(timeout = "120s")]
pub(crate) async fn added_later(
    millis: u64,
    #[inject] ledger: Ledger,
    #[inject] context: TaskContext,
) -> Result<u64, String> {
    Ok(noted(millis, &ledger, &context).await)
}

async fn noted(millis: u64, ledger: &Ledger, context: &TaskContext) -> u64 {
    ledger.body('S', context);
    tokio::time::sleep(Duration::from_millis(millis)).await;
    ledger.body('E', context);
    context.fence().get()
}

/// What a process of this deployment, the first or the second, knows.
pub(crate) fn definitions(deployment: u32) -> Vec<&'static Definition> {
    let mut all = vec![measured::definition(), poison::definition(), pressed::definition(), ticked::definition()];
    match deployment {
        1 => all.push(VersionedBefore::definition()),
        _ => all.extend([VersionedAfter::definition(), added_later::definition()]),
    }
    all
}
