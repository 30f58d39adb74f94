//! Processes of two deployments over one store: the first knows a task in version 1, the second in version 2 and one task more.

use ddd_core::{App, TaskId, TaskStatus};

use crate::{
    checker::nothing_is_lost,
    kills::kill_one,
    ledger::What,
    node,
    options::Options,
    scene::{Process, Scene},
    tasks::{VersionedAfter, VersionedBefore, added_later},
};

const EACH: usize = 150;

/// Submits so many of each that the deployment of `app` knows.
async fn submit(scene: &mut Scene, app: &App, deployment: u32) -> Result<Vec<TaskId>, String> {
    let millis = |number: usize| number as u64 % 10;
    let mut answers = Vec::new();
    for number in 0..EACH {
        if deployment == 1 {
            answers.push(app.submit(VersionedBefore { millis: millis(number) }).await.map(|it| it.id()));
        } else {
            let detail = Some("new".to_owned());
            answers.push(app.submit(VersionedAfter { millis: millis(number), detail }).await.map(|it| it.id()));
            answers.push(app.submit(added_later { millis: millis(number) }).await.map(|it| it.id()));
        }
    }
    let ids = answers.into_iter().collect::<Result<Vec<_>, _>>().map_err(|it| it.to_string())?;
    scene.acknowledged.extend(&ids);
    Ok(ids)
}

/// Waits until so many tasks are in a status.
async fn until(scene: &mut Scene, status: TaskStatus, wanted: usize) -> Result<(), String> {
    let (app, began) = (scene.app().await, std::time::Instant::now());
    loop {
        let now = app.tasks().statistics().await.map_err(|it| it.to_string())?.now;
        if now.get(status) == wanted as u64 {
            return Ok(());
        }
        if began.elapsed() > scene.patience {
            return Err(format!("not {wanted} are {status}: {now:?}"));
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// The old deployment works alone, then beside the new one, then the new one alone; what an old process cannot do it never starts.
///
/// # Errors
/// What did not hold.
pub(crate) async fn versions(scene: &mut Scene) -> Result<String, String> {
    let newer = Options { deployment: 2, ..scene.options.clone() };
    let newer_app = node::builder(&newer, App::builder()).await.map_err(|it| it.to_string())?.submit_only();
    let newer_app = newer_app.build().await.map_err(|it| it.to_string())?;
    let app = scene.app().await;
    let old = scene.start("work");
    // A submitter of the new deployment comes first.
    let early = submit(scene, &newer_app, 2).await?;
    submit(scene, &app, 1).await?;
    until(scene, TaskStatus::Success, EACH).await?;
    until(scene, TaskStatus::Parked, early.len()).await?;
    for record in scene.records().await.values().filter(|it| early.contains(&it.id)) {
        let reason =
            record.waits_for().ok_or_else(|| format!("{} is {} without a reason", record.id, record.status))?;
        if !reason.contains(&format!("knows `{}` in version {}", record.name, record.version)) {
            return Err(format!("the reason is `{reason}`"));
        }
    }
    // Now both; the new one is killed, and its tasks are parked again or wait for its successor.
    let mut workers = vec![Process::start(&newer)];
    submit(scene, &app, 1).await?;
    submit(scene, &newer_app, 2).await?;
    // It keeps up with who submits one by one: without these it might have nothing left to run when it is to die.
    for _ in 0..newer.slots {
        let long = newer_app.submit(added_later { millis: 3_000 }).await.map_err(|it| it.to_string())?;
        scene.acknowledged.push(long.id());
    }
    let death = {
        let mut random = fastrand::Rng::new();
        let before = std::mem::replace(&mut scene.options, newer.clone());
        let death = kill_one(scene, &mut workers, &mut random).await;
        scene.options = before;
        death?
    };
    scene.settle(scene.patience).await?;
    // The old one leaves; what is of its version is no stranger to the new one.
    let old_pid = old.pid;
    drop(old);
    submit(scene, &app, 1).await?;
    scene.settle(scene.patience).await?;
    drop(workers);
    let records = scene.records().await;
    nothing_is_lost(&scene.acknowledged, &records, scene.ledger.read(), &[death])?;
    if let Some(failed) = records.values().find(|it| it.status != TaskStatus::Success) {
        return Err(format!("{} is {}", failed.id, failed.status));
    }
    let (mut by_old, mut by_new) = ([0, 0], [0, 0]);
    for event in &scene.ledger.events {
        let What::Started(id, _) = event.what else { continue };
        let record = records.get(&id).ok_or("a body of no task")?;
        let is_new = usize::from(record.version == 2 || record.name.as_str() == "added_later");
        let starts = if event.pid == old_pid { &mut by_old } else { &mut by_new };
        starts[is_new] += 1;
    }
    if by_old[1] > 0 || by_old[0] < EACH || by_new[0] < EACH {
        return Err(format!("of what is old and what is new, the old one ran {by_old:?} and the new one {by_new:?}"));
    }
    Ok(format!("{} parked, then run; old and new, the old one ran {by_old:?} and the new ones {by_new:?}", early.len()))
}
