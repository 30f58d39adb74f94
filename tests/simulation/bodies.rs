//! The tasks of the simulation. What a body does is drawn from the seed, the task's number, its run and attempt: it is the
//! same whenever and wherever it runs.

use std::{sync::Arc, time::Duration};

use ddd_core::{App, BoxError, Task, TaskContext, TaskError, ports::Definition, task};

use crate::ledger::Ledger;

/// How long every attempt may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// How many of one key may be ready or running at once.
pub(crate) const PER_KEY: usize = 2;
/// How many tasks of the queue `narrow` may run at once.
pub(crate) const NARROW: usize = 3;
/// How many tasks of that queue may wait.
pub(crate) const NARROW_DEPTH: usize = 6;
/// Children have the numbers of their parents, and this.
pub(crate) const CHILD: u32 = 1_000_000;

/// Where a body runs.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) seed: u64,
    pub(crate) node: usize,
}

/// What a scripted panic carries, so that it is not reported as one that nobody planned.
pub(crate) struct Planned;

#[task(timeout = "30s", retry(max_attempts = 3, delay = "2s"))]
pub(crate) async fn work(
    number: u32,
    #[inject] place: Place,
    #[inject] app: App,
    #[inject] context: TaskContext,
) -> Result<u64, BoxError> {
    script(number, &place, Some(&app), &context).await
}

#[task(timeout = "30s", queue = "narrow", concurrency(limit = 2, key = key), retry(max_attempts = 2, delay = "1s"))]
pub(crate) async fn keyed(
    number: u32,
    key: u32,
    #[inject] place: Place,
    #[inject] context: TaskContext,
) -> Result<u64, BoxError> {
    let _ = key;
    script(number, &place, None, &context).await
}

#[task(timeout = "30s", unique(by = key), retry(max_attempts = 2, delay = "1s"))]
pub(crate) async fn single(
    number: u32,
    key: u32,
    #[inject] place: Place,
    #[inject] context: TaskContext,
) -> Result<u64, BoxError> {
    let _ = key;
    script(number, &place, None, &context).await
}

#[task(timeout = "30s")]
pub(crate) async fn tick(#[inject] place: Place, #[inject] context: TaskContext) -> Result<u64, BoxError> {
    script(0, &place, None, &context).await
}

pub(crate) fn definitions() -> [&'static Definition; 4] {
    [work::definition(), keyed::definition(), single::definition(), tick::definition()]
}

async fn script(number: u32, place: &Place, app: Option<&App>, context: &TaskContext) -> Result<u64, BoxError> {
    let inside = place.ledger.enter(place.node, context);
    let mixed = [u64::from(number), u64::from(context.run()), u64::from(context.attempt())];
    let seed =
        mixed.into_iter().fold(place.seed, |seed, it| (seed ^ it).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31));
    let mut random = fastrand::Rng::with_seed(seed);
    for _ in 0..random.u32(..4) {
        match random.u32(..20) {
            0..12 => nap(random.u64(..1_500)).await,
            12 => nap(random.u64(10_000..22_000)).await,
            13..15 => context.progress(random.f64(), "on its way"),
            15 => context.spawn(nap(random.u64(..3_000))),
            16..18 if number < CHILD => beget(number, place, app, context).await?,
            _ => tokio::task::yield_now().await,
        }
    }
    let answer = match random.u32(..100) {
        0..62 => Ok(context.fence().get()),
        62..76 => Err("a scripted error".into()),
        76..80 => Err(TaskError::permanent("a scripted end").into()),
        80..83 => Err(TaskError::retry_after(Duration::from_millis(random.u64(..5_000))).into()),
        // A snooze leaves the attempt's number as it was, so the next time would snooze again.
        83..86 if context.fence().get() < 3 => {
            Err(TaskError::snooze(Duration::from_millis(random.u64(1..5_000))).into())
        }
        86..88 => Err(TaskError::cancel("a scripted cancel").into()),
        88..92 => std::panic::panic_any(Planned),
        92..95 => {
            context.cancelled().await;
            nap(random.u64(..3_000)).await;
            Ok(context.fence().get())
        }
        95..97 => std::future::pending().await,
        _ => Ok(context.fence().get()),
    };
    inside.returns(answer.is_ok());
    answer
}

/// Submits a task of its own, once in each run.
async fn beget(number: u32, place: &Place, app: Option<&App>, context: &TaskContext) -> Result<(), BoxError> {
    let Some(app) = app else { return Ok(()) };
    place.ledger.book().attempted.insert(number + CHILD);
    let key = format!("{}-{}", context.id(), context.run());
    app.submit(work { number: number + CHILD }).idempotency_key(key).await?;
    Ok(())
}

async fn nap(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
