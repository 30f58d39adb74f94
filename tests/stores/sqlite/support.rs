use std::{sync::Arc, time::Duration};

use ddd_core::{
    Name, TaskId, TaskRecord, TaskStore, Timestamp,
    domain::WorkerId,
    ports::{AttemptEnd, ClaimRequest, Claimed, Declaration, Enqueued, Finish, Finished, KnownTask, NewTask},
};
use serde_json::value::RawValue;

pub(crate) const NAME: Name = Name::new("task");
pub(crate) const QUEUE: Name = Name::new("default");
pub(crate) const LEASE: Duration = Duration::from_secs(15);

pub(crate) fn worker(number: u128) -> WorkerId {
    uuid::Uuid::from_u128(number).into()
}

pub(crate) fn task(number: u64) -> NewTask {
    task_with(number, "{}")
}

pub(crate) fn task_with(number: u64, params: &str) -> NewTask {
    let params: Arc<RawValue> = RawValue::from_string(params.to_owned()).unwrap().into();
    let at = Timestamp::from_micros(1_700_000_000_000_000 + i64::try_from(number).unwrap() * 1_000);
    NewTask::new(TaskId::from_parts(at, 0, number), NAME, QUEUE, params)
}

pub(crate) async fn declare(store: &impl TaskStore, number: u128) {
    let known = vec![KnownTask { name: NAME, version: 1 }];
    store.declare(Declaration::new(worker(number), String::new(), vec![QUEUE], known, 4, LEASE)).await.unwrap();
}

pub(crate) async fn enqueue(store: &impl TaskStore, task: NewTask) -> Enqueued {
    store.enqueue(vec![task]).await.unwrap().remove(0)
}

pub(crate) async fn claim(store: &impl TaskStore, number: u128, max: usize) -> Vec<Claimed> {
    store.claim(ClaimRequest::new(worker(number), [(QUEUE, max)].into(), max, LEASE, true)).await.unwrap().tasks
}

pub(crate) async fn succeed(store: &impl TaskStore, claimed: &Claimed) -> Finished {
    let end = AttemptEnd::Success { result: None, ttl: LEASE };
    store.finish(vec![Finish::new(claimed.id, claimed.fence, end)]).await.unwrap().remove(0)
}

pub(crate) async fn get(store: &impl TaskStore, id: TaskId) -> Option<TaskRecord> {
    store.get(vec![id]).await.unwrap().remove(0)
}
