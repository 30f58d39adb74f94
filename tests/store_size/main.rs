//! What a queued task costs in memory, counted by the allocator.
#![allow(clippy::unwrap_used, reason = "tests fail by panics")]

use std::{alloc::System, sync::Arc};

use ddd_core::{MemoryStore, Name, TaskId, TaskStore, Timestamp, ports::NewTask};
use serde_json::value::RawValue;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Just over a power of two, where tables that double in size are as empty as they get.
const TASKS: u64 = (1 << 17) + 1;
const ALLOWED: usize = 500;

fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

#[tokio::test]
async fn a_queued_task_takes_at_most_500_bytes_beside_its_parameters() {
    let store = MemoryStore::new();
    let before = live();
    let mut params_len = 0;
    for number in 0..TASKS {
        let params: Arc<RawValue> = RawValue::from_string(format!(r#"{{"id":{number}}}"#)).unwrap().into();
        params_len += params.get().len();
        let at = Timestamp::from_micros(1_700_000_000_000_000 + i64::try_from(number).unwrap());
        let id = TaskId::from_parts(at, u16::try_from(number % 4_096).unwrap(), number);
        let task = NewTask::new(id, Name::new("task"), Name::new("default"), params);
        store.enqueue(vec![task]).await.unwrap();
    }
    let each = (live() - before - params_len) / usize::try_from(TASKS).unwrap();
    assert!(each <= ALLOWED, "{each} bytes each");
}
