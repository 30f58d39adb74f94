//! A file that is locked, or has no room: no acknowledgement, an error that says so, and all goes on afterwards.

use std::time::{Duration, Instant};

use ddd_core::{
    Durability, SqliteStore, StoreErrorKind, TaskStatus, TaskStore,
    ports::{Enqueued, Heartbeat},
};

use super::{
    Folder,
    support::{LEASE, claim, declare, enqueue, get, task, worker},
};

fn open(folder: &Folder) -> SqliteStore {
    SqliteStore::options(folder.file()).busy_timeout(Duration::from_millis(50)).open().unwrap()
}

#[tokio::test]
async fn a_locked_file_is_a_transient_error_and_work_goes_on_when_it_is_free() {
    let folder = Folder::new();
    let store = open(&folder);
    declare(&store, 1).await;
    let other = rusqlite::Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = store.enqueue(vec![task(0)]).await.unwrap_err();
    assert!(refused.is_transient() && refused.kind() == StoreErrorKind::Unavailable, "{refused:?}");
    assert!(get(&store, task(0).id).await.is_none(), "who only reads does not wait");
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(enqueue(&store, task(0)).await, Enqueued::Created(TaskStatus::Pending));
    assert_eq!(claim(&store, 1, 10).await.len(), 1);
}

/// Heartbeats have a connection of their own, and take turns with the others however much these have to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_do_not_wait_behind_a_flood_of_submissions() {
    let folder = Folder::new();
    let store = SqliteStore::options(folder.file()).durability(Durability::PowerCutLosesTheLastCommits).open().unwrap();
    declare(&store, 1).await;
    let flood: Vec<_> = (0..4)
        .map(|part| {
            let store = store.clone();
            tokio::spawn(async move {
                for batch in 0..40 {
                    let first = part * 1_000_000 + batch * 500;
                    store.enqueue((first..first + 500).map(task).collect()).await.unwrap();
                }
            })
        })
        .collect();
    let dedicated = store.dedicated().await.unwrap();
    let mut slowest = Duration::ZERO;
    let mut beats = 0;
    while flood.iter().any(|it| !it.is_finished()) {
        let began = Instant::now();
        dedicated.heartbeat(Heartbeat::new(worker(1), Vec::new(), LEASE)).await.unwrap();
        slowest = slowest.max(began.elapsed());
        beats += 1;
    }
    for it in flood {
        it.await.unwrap();
    }
    println!("{beats} heartbeats, the slowest took {slowest:?}");
    assert!(slowest < LEASE / 5, "{slowest:?}");
}
