//! What a queued task and a page of a list cost in memory, counted by the allocator.
#![allow(clippy::unwrap_used, reason = "tests fail by panics")]
#![allow(clippy::print_stdout, reason = "figures are printed")]

use std::{
    alloc::System,
    fs, process,
    sync::Arc,
    time::{Duration, Instant},
};

use ddd_benches::PostgresServer;
use ddd_core::{
    Durability, Filter, MemoryStore, Name, PostgresStore, SqliteStore, TaskId, TaskStatus, TaskStore, Timestamp,
    ports::NewTask,
};
use serde_json::value::RawValue;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::sync::Mutex;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Just over a power of two, where tables that double in size are as empty as they get.
const TASKS: u64 = (1 << 17) + 1;
const ALLOWED: usize = 500;

const MINUTE: Duration = Duration::from_secs(60);

/// What one test allocates must not be counted by another.
static ALONE: Mutex<()> = Mutex::const_new(());

fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn task(number: u64, params: String) -> NewTask {
    let params: Arc<RawValue> = RawValue::from_string(params).unwrap().into();
    let at = Timestamp::from_micros(1_700_000_000_000_000 + i64::try_from(number).unwrap());
    let id = TaskId::from_parts(at, u16::try_from(number % 4_096).unwrap(), number);
    NewTask::new(id, Name::new("task"), Name::new("default"), params)
}

#[tokio::test]
async fn a_queued_task_takes_at_most_500_bytes_beside_its_parameters() {
    let _alone = ALONE.lock().await;
    let store = MemoryStore::new();
    let before = live();
    let mut params_len = 0;
    for number in 0..TASKS {
        let task = task(number, format!(r#"{{"id":{number}}}"#));
        params_len += task.params.get().len();
        store.enqueue(vec![task]).await.unwrap();
    }
    let each = (live() - before - params_len) / usize::try_from(TASKS).unwrap();
    assert!(each <= ALLOWED, "{each} bytes each");
}

/// How many bytes were allocated for what was asked.
async fn allocated<T>(asked: impl AsyncFnOnce() -> T) -> (usize, T) {
    let before = ALLOCATOR.stats().bytes_allocated;
    let answer = asked().await;
    (ALLOCATOR.stats().bytes_allocated - before, answer)
}

/// Parameters of 1 MiB each, which neither a page nor what it takes to make one holds.
async fn a_page_holds_no_parameters(store: &dyn TaskStore) {
    const LARGE: u64 = 1 << 20;
    const PAGE: u64 = 200;
    let text = "x".repeat(usize::try_from(LARGE).unwrap() - 20);
    for number in 0..PAGE {
        store.enqueue(vec![task(number, format!(r#"{{"text":"{text}"}}"#))]).await.unwrap();
    }
    for limit in [50, 200] {
        // What is cached on first use is no part of it.
        store.list(Filter::all(), None, limit).await.unwrap();
        let (listed, page) = allocated(async || store.list(Filter::all(), None, limit).await).await;
        assert_eq!(page.unwrap().items.len(), limit);
        let ids = (PAGE - limit as u64..PAGE).map(|number| task(number, "{}".to_owned()).id).collect();
        let (whole, records) = allocated(async || store.get(ids).await).await;
        assert!(records.unwrap().iter().all(Option::is_some));
        println!("{}, a page of {limit}: {} KiB; the records: {} KiB", store.kind(), listed >> 10, whole >> 10);
        assert!(listed < limit << 13, "{} KiB for {limit}", listed >> 10);
    }
}

#[tokio::test]
async fn a_page_of_a_list_holds_no_parameters() {
    let _alone = ALONE.lock().await;
    a_page_holds_no_parameters(&MemoryStore::new()).await;
    let folder = std::env::temp_dir().join(format!("ddd-store-size-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let durability = Durability::PowerCutMayDestroyTheFile;
    // The records take their time, on a busy machine.
    let options = SqliteStore::options(folder.join("tasks.db")).durability(durability).read_timeout(MINUTE);
    a_page_holds_no_parameters(&options.open().unwrap()).await;
    fs::remove_dir_all(folder).unwrap();
    let server = PostgresServer::shared().unwrap_or_else(|it| panic!("{it}"));
    let options = PostgresStore::options().namespace(server.fresh_namespace()).connections(2).statement_timeout(MINUTE);
    a_page_holds_no_parameters(&options.connect(server.url()).await.unwrap()).await;
}

#[tokio::test]
#[ignore = "takes a while, and needs the process for itself"]
async fn pages_of_a_million_tasks_come_soon() {
    const MANY: u64 = 1_000_000;
    let _alone = ALONE.lock().await;
    let store = MemoryStore::new();
    for number in 0..MANY {
        store.enqueue(vec![task(number, "{}".to_owned())]).await.unwrap();
    }
    let all = Filter::all;
    for (name, filter) in [
        ("all", all()),
        ("by prefix", all().name_prefix("ta")),
        ("failed", all().status(TaskStatus::Failed)),
        ("delayed", all().status(TaskStatus::Delayed)),
        ("a tag that nobody has", all().tag("none")),
    ] {
        let mut times = Vec::new();
        for _ in 0..100 {
            let began = Instant::now();
            store.list(filter.clone(), None, 50).await.unwrap();
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let began = Instant::now();
        let (mut cursor, mut searches, mut found) = (None, 0, 0);
        while found < 50 {
            let page = store.list(filter.clone(), cursor, 50).await.unwrap();
            (cursor, searches, found) = (page.next, searches + 1, found + page.items.len());
            if cursor.is_none() {
                break;
            }
        }
        let whole = began.elapsed();
        println!("first search, {name}: p99 {:?}; a full page: {found} in {searches} searches, {whole:?}", times[98]);
        assert!(times[98] < Duration::from_millis(100), "{name}: {:?}", times[98]);
    }
}
