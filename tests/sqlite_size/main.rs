//! What a million waiting tasks cost a process, and a claim: run by `make nightly`, alone in its process.
#![allow(clippy::unwrap_used, reason = "tests fail by panics")]
#![allow(clippy::print_stdout, reason = "figures are printed")]

use std::{
    fs, process,
    sync::Arc,
    time::{Duration, Instant},
};

use ddd_core::{
    Durability, Filter, Name, SqliteStore, TaskId, TaskStatus, TaskStore, Timestamp,
    domain::WorkerId,
    ports::{AttemptEnd, ClaimRequest, Declaration, Finish, KnownTask, NewTask},
};
use serde_json::value::RawValue;

const NAME: Name = Name::new("task");
const QUEUE: Name = Name::new("default");
const LEASE: Duration = Duration::from_secs(600);
const FEW: u64 = 1_000;
const MANY: u64 = 1_000_000;
const BATCH: u64 = 1_000;
const CLAIMED: usize = 10;
const CLAIMS: usize = 500;
const MOST_MEMORY: u64 = 64 << 20;

fn worker() -> WorkerId {
    uuid::Uuid::from_u128(1).into()
}

fn task(number: u64) -> NewTask {
    let params: Arc<RawValue> = RawValue::from_string(format!(r#"{{"id":{number}}}"#)).unwrap().into();
    let at = Timestamp::from_micros(1_700_000_000_000_000 + i64::try_from(number).unwrap() * 1_000);
    NewTask::new(TaskId::from_parts(at, 0, number), NAME, QUEUE, params)
}

/// What of this process is in memory now, as Linux counts it.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? << 10)
}

/// Claims and ends some tasks again and again, and submits as many; how long the slowest of 100 claims took.
async fn claim_p99(store: &SqliteStore, next: &mut u64) -> Duration {
    let mut times = Vec::new();
    for _ in 0..CLAIMS {
        let request = ClaimRequest::new(worker(), [(QUEUE, CLAIMED)].into(), CLAIMED, LEASE, true);
        let began = Instant::now();
        let claimed = store.claim(request).await.unwrap().tasks;
        times.push(began.elapsed());
        assert_eq!(claimed.len(), CLAIMED);
        let end = || AttemptEnd::Success { result: None, ttl: LEASE };
        store.finish(claimed.iter().map(|it| Finish::new(it.id, it.fence, end())).collect()).await.unwrap();
        let more = CLAIMED as u64;
        store.enqueue((*next..*next + more).map(task).collect()).await.unwrap();
        *next += more;
    }
    times.sort_unstable();
    times[CLAIMS * 99 / 100]
}

/// How long the slowest but one of 100 first pages took.
async fn list_p99(store: &SqliteStore, filter: Filter) -> Duration {
    let mut times = Vec::new();
    for _ in 0..100 {
        let began = Instant::now();
        store.list(filter.clone(), None, 50).await.unwrap();
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times[98]
}

#[tokio::test]
#[ignore = "takes a minute, and needs the process for itself"]
async fn a_million_waiting_tasks_cost_little_memory_and_slow_no_claim_down() {
    let folder = std::env::temp_dir().join(format!("ddd-sqlite-size-{}", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let durability = Durability::PowerCutLosesTheLastCommits;
    let store = SqliteStore::options(folder.join("tasks.db")).durability(durability).open().unwrap();
    let known = vec![KnownTask { name: NAME, version: 1 }];
    store.declare(Declaration::new(worker(), String::new(), vec![QUEUE], known, 4, LEASE)).await.unwrap();
    let mut next = FEW;
    store.enqueue((0..FEW).map(task).collect()).await.unwrap();
    let at_few = claim_p99(&store, &mut next).await;
    while next < MANY {
        store.enqueue((next..next + BATCH).map(task).collect()).await.unwrap();
        next += BATCH;
    }
    let at_many = claim_p99(&store, &mut next).await;
    let all = Filter::all;
    assert_eq!(store.list(all(), None, 50).await.unwrap().items.len(), 50);
    let listed = list_p99(&store, all()).await;
    let searched = [
        list_p99(&store, all().name_prefix("ta")).await,
        list_p99(&store, all().tag("none")).await,
        list_p99(&store, all().owner("nobody")).await,
        list_p99(&store, all().status(TaskStatus::Failed)).await,
        list_p99(&store, all().status(TaskStatus::Running)).await,
        list_p99(&store, all().finished()).await,
    ];
    let began = Instant::now();
    let (mut cursor, mut searches) = (None, 0);
    loop {
        let page = store.list(all().tag("none"), cursor, 50).await.unwrap();
        (cursor, searches) = (page.next, searches + 1);
        if cursor.is_none() {
            break;
        }
    }
    println!("a tag that nobody has among {MANY}: {searches} searches, {:?} in all", began.elapsed());
    store.statistics().await.unwrap();
    let memory = resident();
    let size = fs::metadata(folder.join("tasks.db")).unwrap().len();
    println!(
        "claim p99: {at_few:?} at {FEW} rows, {at_many:?} at {MANY}; a page of 50, p99: {listed:?}, with filters (prefix, tag, \
         owner, failed, running, finished) {searched:?}; memory {:?} MiB; file {} MiB, \
         {} bytes each",
        memory.map(|it| it >> 20),
        size >> 20,
        size / MANY
    );
    drop(store);
    fs::remove_dir_all(folder).unwrap();
    assert!(at_many <= 3 * at_few.max(Duration::from_micros(200)), "{at_many:?} against {at_few:?}");
    assert!(listed < Duration::from_millis(100), "{listed:?}");
    assert!(searched.iter().all(|it| *it < Duration::from_millis(100)), "{searched:?}");
    match memory {
        Some(memory) => assert!(memory <= MOST_MEMORY, "{memory} bytes"),
        None => println!("NOT CHECKED: memory; this system has no /proc"),
    }
}
