//! Every public async function is dropped at each of its polls: what it began is done whole or not at all, and nothing is held
//! by the dropped call.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
    time::Duration,
};

use ddd_core::{App, Filter, Operation, Priority, Schedule, TaskId, TaskStatus};

use crate::tasks::{measured, ticked};

/// Makes a call.
type Make = fn(App, TaskId, u32) -> Call;
type Call = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// Polls a call at most so often, then drops it. Answers whether it ended before.
async fn dropped_after(mut call: Call, polls: usize) -> Option<Result<(), String>> {
    let mut polled = 0;
    poll_fn(|cx| {
        if polled == polls {
            return Poll::Ready(None);
        }
        polled += 1;
        match call.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(Some(answer)),
            // The last poll allowed: dropped now, whatever it waits for.
            Poll::Pending if polled == polls => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// The public async functions. Each entry makes the call anew; the number is another one each time.
fn calls() -> Vec<(&'static str, Make)> {
    macro_rules! call {
        ($name:literal, |$app:ident, $id:ident, $number:ident| $call:expr) => {
            ($name, |$app: App, $id: TaskId, $number: u32| {
                Box::pin(async move {
                    let _ = ($id, $number);
                    $call.await.map(drop).map_err(|it| format!("{it:?}"))
                })
            })
        };
    }
    vec![
        call!("submit", |app, id, number| app.submit(measured { number, millis: 1 })),
        call!("submit under a key", |app, id, number| {
            app.submit(measured { number, millis: 1 }).idempotency_key(format!("key {number}"))
        }),
        call!("submit many", |app, id, number| app.submit_many((0..20).map(|_| measured { number, millis: 1 }))),
        call!("submit and wait", |app, id, number| async {
            app.submit(measured { number, millis: 1 })
                .await
                .map_err(|it| it.to_string())?
                .result()
                .await
                .map_err(|it| it.to_string())
        }),
        call!("execute", |app, id, number| app.execute(measured { number, millis: 1 })),
        call!("get", |app, id, number| app.tasks().get(id)),
        call!("list", |app, id, number| app.tasks().list(Filter::all(), None, 50)),
        call!("history", |app, id, number| app.tasks().history(Filter::all(), None, 50)),
        call!("position", |app, id, number| app.tasks().position(id, 100)),
        call!("statistics", |app, id, number| app.tasks().statistics()),
        call!("queues", |app, id, number| app.tasks().queues()),
        call!("workers", |app, id, number| app.tasks().workers()),
        call!("cancel", |app, id, number| app.tasks().cancel(id, "dropped")),
        call!("retry", |app, id, number| app.tasks().retry(id)),
        call!("reprioritise", |app, id, number| app.tasks().reprioritise(id, Priority::default())),
        call!("delete", |app, id, number| app.tasks().delete(id)),
        call!("bulk", |app, id, number| app.tasks().bulk(Filter::all().ids([id]), Operation::Retry)),
        call!("cleanup", |app, id, number| app.tasks().cleanup(Duration::from_secs(1_000))),
        call!("pause", |app, id, number| app.tasks().pause("other")),
        call!("resume", |app, id, number| app.tasks().resume("other")),
        call!("wait until idle", |app, id, number| app.tasks().wait_idle()),
        call!("put a schedule", |app, id, number| async {
            app.tasks().schedules().put("hourly", hourly(), ticked {}).await
        }),
        call!("list schedules", |app, id, number| app.tasks().schedules().list()),
        call!("pause a schedule", |app, id, number| app.tasks().schedules().pause("hourly")),
        call!("resume a schedule", |app, id, number| app.tasks().schedules().resume("hourly")),
        call!("run a schedule now", |app, id, number| app.tasks().schedules().run_now("hourly")),
        call!("check", |app, id, number| app.check()),
        call!("start workers", |app, id, number| app.start_workers()),
        call!("shut down", |app, id, number| async { Ok::<_, String>(app.shutdown(Duration::from_secs(5)).await) }),
    ]
}

fn hourly() -> Schedule {
    Schedule::every(Duration::from_secs(3_600)).unwrap()
}

/// Drops each of the functions at each poll; then all works as ever.
///
/// # Errors
/// What did not hold.
pub(crate) async fn bombard(app: &App) -> Result<String, String> {
    let (mut dropped, mut number) = (0, 0);
    let calls = calls();
    let first = app.submit(measured { number: 0, millis: 1 }).await.map_err(|it| it.to_string())?;
    // There from the first call on, for those that ask for it.
    app.tasks().schedules().put("hourly", hourly(), ticked {}).await.map_err(|it| it.to_string())?;
    for (name, make) in &calls {
        for polls in 0.. {
            number += 1;
            match dropped_after(make(app.clone(), first.id(), number), polls).await {
                None => dropped += 1,
                Some(Ok(())) => break,
                Some(Err(error)) => return Err(format!("{name}, after {polls} polls: {error}")),
            }
            if polls > 1_000 {
                return Err(format!("{name} is polled for ever"));
            }
            // The next call of anybody succeeds at once.
            let answer = tokio::time::timeout(Duration::from_secs(10), app.check()).await;
            if !matches!(answer, Ok(Ok(()))) {
                return Err(format!("{name}, dropped after {polls} polls: the next call was answered {answer:?}"));
            }
        }
    }
    app.start_workers().await.map_err(|it| it.to_string())?;
    let last = app.submit(measured { number, millis: 1 }).await.map_err(|it| it.to_string())?;
    last.result().await.map_err(|it| it.to_string())?;
    app.tasks().wait_idle().await.map_err(|it| it.to_string())?;
    let now = app.tasks().statistics().await.map_err(|it| it.to_string())?.now;
    if now.total() != now.get(TaskStatus::Success) + now.get(TaskStatus::Cancelled) {
        return Err(format!("not all has ended well: {now:?}"));
    }
    Ok(format!("{} functions, {dropped} drops, {} tasks", calls.len(), now.total()))
}
