//! How work is stopped.

use std::time::Duration;

use ddd_core::{TaskContext, TaskStatus, task};

use crate::{Outcome, builder, start, until};

/// Tells when it is dropped.
struct Dropped(&'static str);

impl Drop for Dropped {
    fn drop(&mut self) {
        say!("{} was dropped", self.0);
    }
}

/// Waits for what never comes, with a child that does the same.
#[task]
async fn wait_forever(#[inject] context: TaskContext) {
    let _body = Dropped("the body");
    context.spawn(async {
        let _child = Dropped("its child");
        std::future::pending::<()>().await;
    });
    std::future::pending::<()>().await;
}

/// Uploads until it is told to end, and cleans up.
#[task]
async fn upload(#[inject] context: TaskContext) -> Result<(), String> {
    context.cancelled().await;
    say!("the body removes what it had uploaded");
    Err("not complete".to_owned())
}

/// Occupies a thread.
#[task]
fn compute(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

pub async fn show() -> Outcome {
    let app = start(builder()).await?;
    let mut transitions = app.tasks().transitions();

    section!("Timeout: the body is dropped, and its children with it");
    let handle = app.submit(wait_forever {}).timeout(Duration::from_millis(60)).await?;
    let result = handle.result().await;
    say!("{}", result.err().map_or_else(|| "no error".to_owned(), |it| it.to_string()));

    section!("A blocking body cannot be dropped: its record says so, and its slot stays taken");
    let handle = app.submit(compute { millis: 200 }).timeout(Duration::from_millis(60)).await?;
    let ended = until(&mut transitions, handle.id(), TaskStatus::Timeout).await?;
    let record = handle.record().await?.ok_or("its record is gone")?;
    say!("after {} ms: {}, still running: {}", since_start(&record, ended.at), record.status, record.still_running);
    while app.running() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    say!("bodies that run, once it has returned: {}", app.running());

    section!("Cancel, with time to clean up for a body that asks for it");
    let handle = app.submit(upload {}).await?;
    until(&mut transitions, handle.id(), TaskStatus::Running).await?;
    say!("the cancel is answered: {:?}", app.tasks().cancel(handle.id(), "the user closed the page").await?);
    say!("{}", handle.result().await.err().map_or_else(|| "no error".to_owned(), |it| it.to_string()));
    let queued = app.submit(compute { millis: 0 }).delay(Duration::from_secs(60)).await?;
    say!("of a task that is queued: {:?}", queued.cancel().await?);
    say!("and of one that has ended: {:?}", queued.cancel().await?);
    Ok(())
}

fn since_start(record: &ddd_core::TaskRecord, at: ddd_core::Timestamp) -> u128 {
    at.since(record.started_at.unwrap_or(at)).as_millis()
}
