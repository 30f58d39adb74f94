//! Many long tasks stand before few dead ones.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use ddd_core::{
    Name, TaskId, TaskStore, Timestamp,
    domain::WorkerId,
    ports::{ClaimRequest, Declaration, Heartbeat, Held, KnownTask, NewTask},
};
use serde_json::value::RawValue;

use crate::scene::Scene;

/// All of `long` tasks are claimed first, and renewed for an hour; then ten, whose worker says nothing any more.
///
/// # Errors
/// What did not hold.
pub(crate) async fn many_before_few(scene: &mut Scene, long: usize) -> Result<String, String> {
    const DEAD: usize = 10;
    let store = scene.app().await.store().clone();
    let (lives, dies) = (WorkerId::from(uuid::Uuid::from_u128(1)), WorkerId::from(uuid::Uuid::from_u128(2)));
    let (hour, moment) = (Duration::from_secs(3_600), Duration::from_millis(300));
    let queue = Name::new("default");
    for (worker, lease) in [(lives, hour), (dies, moment)] {
        let known = vec![KnownTask { name: Name::new("long"), version: 1 }];
        let declaration = Declaration::new(worker, "here".to_owned(), vec![queue.clone()], known, long, lease);
        store.declare(declaration).await.map_err(|it| format!("{it:?}"))?;
    }
    let params: Arc<RawValue> = RawValue::from_string("{}".to_owned()).map_err(|it| it.to_string())?.into();
    let task = |number: u64| {
        let at = Timestamp::from_micros(1_767_225_600_000_000 + i64::try_from(number).unwrap_or_default() * 1_000);
        NewTask::new(TaskId::from_parts(at, 0, number), Name::new("long"), queue.clone(), params.clone())
    };
    let tasks: Vec<_> = (0..(long + DEAD) as u64).map(task).collect();
    for batch in tasks.chunks(1_000) {
        store.enqueue(batch.to_vec()).await.map_err(|it| format!("{it:?}"))?;
    }
    let long_ones = claim(&*store, lives, &queue, long, hour).await?;
    let dead = claim(&*store, dies, &queue, DEAD, moment).await?;
    let held = long_ones.clone();
    store.heartbeat(Heartbeat::new(lives, held, hour)).await.map_err(|it| format!("{it:?}"))?;
    tokio::time::sleep(2 * moment).await;
    let mut recovered = 0;
    loop {
        let reaped = store.reap(1_000).await.map_err(|it| format!("{it:?}"))?;
        recovered += reaped.recovered;
        if !reaped.more {
            break;
        }
    }
    let lost: BTreeSet<_> = dead.iter().map(|it| it.id).collect();
    let records = store.get(lost.iter().copied().collect()).await.map_err(|it| format!("{it:?}"))?;
    let queued = records.iter().flatten().filter(|it| it.status.is_queued()).count();
    if (recovered, queued) != (DEAD, DEAD) {
        return Err(format!("{recovered} were recovered in one cycle, and {queued} of {DEAD} dead ones are queued"));
    }
    Ok(format!("{DEAD} recovered behind {long} that live"))
}

async fn claim(
    store: &dyn TaskStore,
    worker: WorkerId,
    queue: &Name,
    count: usize,
    lease: Duration,
) -> Result<Vec<Held>, String> {
    let mut held = Vec::new();
    while held.len() < count {
        let (most, queues) = ((count - held.len()).min(1_000), vec![(queue.clone(), usize::MAX)]);
        let request = ClaimRequest::new(worker, queues.into(), most, lease, false);
        let claims = store.claim(request).await.map_err(|it| format!("{it:?}"))?;
        if claims.tasks.is_empty() {
            return Err(format!("only {} of {count} were handed out", held.len()));
        }
        held.extend(claims.tasks.iter().map(|it| Held { id: it.id, fence: it.fence }));
    }
    Ok(held)
}
