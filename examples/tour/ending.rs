//! What happens to work that nobody can do, or that is not done in time.

use std::{sync::Arc, time::Duration};

use ddd_core::{App, MemoryStore, Settings, Task, TaskStatus, TaskStore, task};

use crate::{Outcome, builder, until};

/// Known only to the newer of two programs.
#[task]
async fn novelty() -> Result<String, String> {
    Ok("done by the newer worker".to_owned())
}

/// Takes its time.
#[task]
async fn slow(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Takes its time, and cannot be stopped.
#[task]
fn stubborn(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

pub async fn show() -> Outcome {
    parked().await?;
    shutdown().await
}

async fn parked() -> Outcome {
    section!("Parked: no live worker knows the task, until one comes that does");
    let store: Arc<dyn TaskStore> = Arc::new(MemoryStore::new());
    let submitter = builder().shared_store(store.clone()).submit_only().build().await?;
    let mut transitions = submitter.tasks().transitions();

    // Signs of life are given every 5 s unless set otherwise, and this is found out with one.
    let mut settings = Settings::default();
    settings.heartbeat = Duration::from_millis(100);
    settings.lease = Duration::from_secs(1);
    let older = App::builder().settings(settings).definitions([slow::definition()]).shared_store(store.clone());
    let older = older.build().await?;
    older.start_workers().await?;
    let handle = submitter.submit(novelty {}).await?;
    let parked = until(&mut transitions, handle.id(), TaskStatus::Parked).await?;
    say!("the older worker knows only `slow`: the task is {}", parked.to);

    let newer = builder().shared_store(store).build().await?;
    newer.start_workers().await?;
    say!("the newer one: {}", handle.result().await?);
    older.shutdown(Duration::from_secs(1)).await;
    newer.shutdown(Duration::from_secs(1)).await;
    Ok(())
}

async fn shutdown() -> Outcome {
    section!("Shutdown: what can end does, the rest is given back, and what cannot be stopped is reported");
    let app = builder().slots(3).build().await?;
    let short = app.submit(slow { millis: 50 }).await?;
    let long = app.submit(slow { millis: 60_000 }).await?;
    let stuck = app.submit(stubborn { millis: 1_000 }).await?;
    let waiting = app.submit(slow { millis: 0 }).await?;
    app.start_workers().await?;
    while app.running() < 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let began = std::time::Instant::now();
    let report = app.shutdown(Duration::from_millis(200)).await;
    say!("after {} ms of the 200 ms that it was given:", began.elapsed().as_millis());
    for (what, handle) in [("short", &short), ("long", &long), ("stubborn", &stuck), ("waiting", &waiting)] {
        let record = handle.record().await?.ok_or("its record is gone")?;
        let given_back = report.given_back.contains(&record.id);
        let still_running = report.still_running.iter().any(|it| it.0 == record.id);
        say!(
            "{what:<8} is {:<7} after {} attempts; given back: {given_back}, still running: {still_running}",
            record.status,
            record.attempt,
        );
    }
    Ok(())
}
