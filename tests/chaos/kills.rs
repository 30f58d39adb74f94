//! Workers are killed while they run bodies.

use crate::{
    checker::{Death, Figures, is_whole, nothing_is_lost, only_the_dead_run_again},
    scene::{Process, Scene},
    tasks::micros,
};

pub(crate) struct Size {
    pub(crate) tasks: u32,
    pub(crate) kills: usize,
    pub(crate) workers: usize,
    /// How long a body takes at most, in milliseconds.
    pub(crate) most: u64,
}

/// Kills random workers, each with at least one body running, evenly over three quarters of the run, and starts others in their place.
///
/// # Errors
/// What did not hold.
pub(crate) async fn kills(scene: &mut Scene, size: &Size) -> Result<Figures, String> {
    let mut random = fastrand::Rng::new();
    let mut workers: Vec<_> = (0..size.workers).map(|_| scene.start("work")).collect();
    scene.submit(size.tasks, 0..=size.most).await;
    let mut deaths = Vec::new();
    for kill in 1..=size.kills {
        // The last quarter is for a driver that is kept waiting: whom it kills must still have something to run.
        let so_far = size.tasks as usize / 4 * 3 * kill / size.kills;
        scene.until("the next kill", |it| it.ended >= so_far).await?;
        deaths.push(kill_one(scene, &mut workers, &mut random).await?);
    }
    scene.settle(scene.patience).await?;
    drop(workers);
    let records = scene.records().await;
    nothing_is_lost(&scene.acknowledged, &records, scene.ledger.read(), &deaths)?;
    let figures = only_the_dead_run_again(&records, &scene.ledger, &deaths)?;
    is_whole(&scene.options.store)?;
    // Ends are written as they come, so what was held back is young.
    if figures.unwritten_for > scene.options.lease {
        return Err(format!("an end was not stored {:?} after its body had returned", figures.unwritten_for));
    }
    let soon = scene.options.lease + 2 * scene.options.heartbeat;
    if figures.median > soon {
        return Err(format!("half of the bodies started again only after {:?}; {soon:?} is due", figures.median));
    }
    Ok(figures)
}

/// Kills one that runs a body, and starts another one.
pub(crate) async fn kill_one(
    scene: &mut Scene,
    workers: &mut Vec<Process>,
    random: &mut fastrand::Rng,
) -> Result<Death, String> {
    loop {
        scene.until("a worker with a body", |it| workers.iter().any(|worker| it.running(worker.pid) > 0)).await?;
        let busy: Vec<_> = (0..workers.len()).filter(|it| scene.ledger.running(workers[*it].pid) > 0).collect();
        let chosen = busy[random.usize(..busy.len())];
        // It stands still while it is looked at, so that it surely runs a body when it dies.
        workers[chosen].stop();
        if scene.ledger.read().running(workers[chosen].pid) == 0 {
            workers[chosen].signal("CONT");
            continue;
        }
        let mut dead = workers.swap_remove(chosen);
        dead.kill();
        let at = micros();
        workers.push(scene.start("work"));
        let running = scene.ledger.read().running.remove(&dead.pid).unwrap_or_default();
        return Ok(Death { pid: dead.pid, at, running });
    }
}
