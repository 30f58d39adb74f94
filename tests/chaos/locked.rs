//! Somebody else locks the file for twice the lease.

use std::time::Instant;

use crate::{
    checker::{file_of, is_whole, nothing_is_lost},
    scene::Scene,
};

/// Locks the store from outside while bodies run.
///
/// # Errors
/// What did not hold.
pub(crate) async fn locked(scene: &mut Scene) -> Result<String, String> {
    let Some(path) = file_of(&scene.options.store).map(str::to_owned) else {
        return Ok("only a file can be locked".to_owned());
    };
    let _workers = [scene.start("work"), scene.start("work")];
    scene.submit(2_000, 0..=60).await;
    scene.until("some ends", |it| it.ended > 100).await?;
    let outsider = rusqlite::Connection::open(&path).map_err(|it| it.to_string())?;
    outsider.busy_timeout(scene.patience).map_err(|it| it.to_string())?;
    outsider.execute_batch("BEGIN IMMEDIATE").map_err(|it| it.to_string())?;
    tokio::time::sleep(2 * scene.options.lease).await;
    let before = scene.ledger.read().started;
    outsider.execute_batch("COMMIT").map_err(|it| it.to_string())?;
    let unlocked = Instant::now();
    scene.until("work", |it| it.started > before).await?;
    let resumed = unlocked.elapsed();
    scene.settle(scene.patience).await?;
    let records = scene.records().await;
    nothing_is_lost(&scene.acknowledged, &records, scene.ledger.read(), &[])?;
    is_whole(&scene.options.store)?;
    let crashes = records.values().filter(|it| it.crashes > 0).count();
    if crashes > 0 {
        return Err(format!("{crashes} tasks count a death, and nobody died"));
    }
    if resumed.as_secs() >= 5 {
        return Err(format!("work went on only after {resumed:?}"));
    }
    Ok(format!("locked for {:?}; work went on {resumed:?} after", 2 * scene.options.lease))
}
