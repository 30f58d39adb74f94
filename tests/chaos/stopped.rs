//! A worker is stopped for three leases and goes on: others have run its tasks meanwhile, and what it says is not believed.

use std::collections::BTreeSet;

use crate::{
    checker::{file_of, is_whole, nothing_is_lost},
    ledger::{Reader, What},
    scene::Scene,
};

/// Stops a worker that runs bodies, so many times.
///
/// # Errors
/// What did not hold.
pub(crate) async fn stopped(scene: &mut Scene, rounds: usize) -> Result<String, String> {
    let (first, _second) = (scene.start("work"), scene.start("work"));
    let (mut taken_over, mut blocked) = (0, 0);
    while taken_over < rounds {
        // Long enough that whoever takes one over still runs it when this one goes on, and short enough that this one's is over
        // then: it reports at once.
        let lease = u64::try_from(scene.options.lease.as_millis()).unwrap_or_default();
        scene.submit(14, 3 * lease - 300..=3 * lease).await;
        scene.until("bodies of the first worker", |it| it.running(first.pid) > 2).await?;
        first.stop();
        let held = scene.ledger.read().running.get(&first.pid).cloned().unwrap_or_default();
        tokio::time::sleep(3 * scene.options.lease).await;
        // Others have taken over, or will have before this one may say anything. Unless it stands still in the middle of writing
        // to a file: then nobody else can write before it goes on.
        let is_elsewhere = |it: &Reader| {
            let taken = it.events.iter().filter_map(|it| match it.what {
                What::Started(id, fence) if !held.contains(&(id, fence)) => Some(id),
                _ => None,
            });
            let taken: BTreeSet<_> = taken.collect();
            held.iter().all(|it| taken.contains(&it.0))
        };
        match is_locked(&scene.options.store) {
            true => blocked += 1,
            false => {
                scene.until("its tasks elsewhere", is_elsewhere).await?;
                taken_over += usize::from(!held.is_empty());
            }
        }
        first.signal("CONT");
        scene.settle(scene.patience).await?;
        if blocked > 3 * rounds {
            return Err(format!("it held the lock of the file {blocked} times"));
        }
    }
    let records = scene.records().await;
    nothing_is_lost(&scene.acknowledged, &records, scene.ledger.read(), &[])?;
    is_whole(&scene.options.store)?;
    let ended = |it: &&crate::ledger::Event| match it.what {
        What::Ended(id, fence) => records.get(&id).is_some_and(|it| it.fence != fence),
        _ => false,
    };
    let stale = scene.ledger.events.iter().filter(ended).count();
    let again = records.values().filter(|it| it.crashes > 0).count();
    if again == 0 {
        return Err("nothing was running when the worker was stopped".to_owned());
    }
    Ok(format!(
        "{again} tasks were taken over in {taken_over} rounds (in {blocked} more it held the file's lock); {stale} bodies ended under a stale fence, and none was believed"
    ))
}

/// Whether nobody can write to a file.
fn is_locked(url: &str) -> bool {
    let Some(path) = file_of(url) else { return false };
    let db = rusqlite::Connection::open(path).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(1)).unwrap();
    db.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err()
}
