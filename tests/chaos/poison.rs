//! A body ends its process, each time it runs.

use ddd_core::{FailureKind, TaskStatus};

use crate::{ledger::What, scene::Scene, tasks::poison};

/// One task kills its worker; its neighbours finish all the same.
///
/// # Errors
/// What did not hold.
pub(crate) async fn poisoned(scene: &mut Scene, neighbours: u32) -> Result<String, String> {
    let app = scene.app().await;
    scene.submit(neighbours / 2, 0..=10).await;
    let bad = app.submit(poison { number: 0 }).await.map_err(|it| it.to_string())?;
    scene.submit(neighbours - neighbours / 2, 0..=10).await;
    let (mut worker, mut deaths) = (scene.start("work"), 0);
    let began = std::time::Instant::now();
    loop {
        let now = app.tasks().statistics().await.map_err(|it| it.to_string())?.now;
        if now.queued() + now.get(TaskStatus::Running) == 0 {
            break;
        }
        if worker.ended().is_some() {
            deaths += 1;
            worker = scene.start("work");
        }
        if began.elapsed() > scene.patience {
            return Err(format!("not all has ended after {deaths} deaths: {now:?}"));
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let records = scene.records().await;
    let record = &records[&bad.id()];
    let error = record.last_error().cloned().ok_or("the bad one has no error")?;
    if (record.status, error.kind, record.crashes) != (TaskStatus::Failed, FailureKind::Crash, 3) {
        return Err(format!("the bad one is {} with {} crashes: {error:?}", record.status, record.crashes));
    }
    let of_it = |it: &&crate::ledger::Event| matches!(it.what, What::Started(id, _) if id == bad.id());
    let starts = scene.ledger.read().events.iter().filter(of_it).count();
    let well = scene.acknowledged.iter().filter(|it| records[it].status == TaskStatus::Success).count();
    if (starts, well, deaths) != (3, neighbours as usize, 3) {
        return Err(format!(
            "it started {starts} times, {deaths} workers died, {well} of {neighbours} neighbours are well"
        ));
    }
    Ok(format!("{deaths} deaths, then failed: `{}`; {well} neighbours are well", error.message))
}
