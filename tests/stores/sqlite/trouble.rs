//! A file that is locked, or has no room: no acknowledgement, an error that says so, and all goes on afterwards.

use std::time::{Duration, Instant};

use ddd_core::{
    Durability, SqliteStore, StoreErrorKind, TaskStatus, TaskStore,
    domain::{AttemptError, FailureKind},
    ports::{AttemptEnd, Enqueued, Finish, Heartbeat},
};

use super::{
    Folder,
    support::{LEASE, claim, declare, enqueue, get, succeed, task, task_with, worker},
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

#[tokio::test]
async fn a_full_disk_is_told_as_such_and_what_was_acknowledged_runs_when_there_is_room() {
    let folder = Folder::new();
    let store = SqliteStore::options(folder.file()).max_bytes(1 << 20).open().unwrap();
    declare(&store, 1).await;
    let params = format!("\"{}\"", "x".repeat(20_000));
    let mut acknowledged = Vec::new();
    let refused = loop {
        let task = task_with(acknowledged.len() as u64, &params);
        let id = task.id;
        match store.enqueue(vec![task]).await {
            Ok(_) => acknowledged.push(id),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 1_000, "the bound holds");
    };
    assert_eq!(refused.kind(), StoreErrorKind::NoSpace);
    assert!(refused.is_transient() && acknowledged.len() > 10, "{refused:?} after {}", acknowledged.len());
    assert!(get(&store, task(acknowledged.len() as u64).id).await.is_none(), "what was refused is not there");
    drop(store);
    let store = SqliteStore::open(folder.file()).unwrap();
    let mut ran = Vec::new();
    for claimed in claim(&store, 1, 1_000).await {
        succeed(&store, &claimed).await;
        ran.push(claimed.id);
    }
    assert_eq!(ran, acknowledged);
    let check: String = rusqlite::Connection::open(folder.file())
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}

/// What is written together fails apart: figures and rows included.
#[tokio::test]
async fn a_request_that_fails_is_undone_and_its_neighbours_are_not() {
    const EACH: usize = 20;
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).unwrap();
    declare(&store, 1).await;
    store.enqueue((0..2 * EACH as u64).map(task).collect()).await.unwrap();
    let claimed = claim(&store, 1, 2 * EACH).await;
    let (good, bad) = claimed.split_at(EACH);
    let db = rusqlite::Connection::open(folder.file()).unwrap();
    for it in bad {
        db.execute("UPDATE ddd_task SET errors = 'spoilt' WHERE id = ?1", [it.id.as_uuid().as_bytes()]).unwrap();
    }
    let failed = || AttemptEnd::Failed(AttemptError::new(FailureKind::Error, "broken".to_owned()));
    let calls = good.iter().zip(bad).enumerate().map(|(number, (good, bad))| {
        let store = store.clone();
        let ends = [good, bad].map(|it| Finish::new(it.id, it.fence, failed())).to_vec();
        let neighbour = task(1_000 + number as u64);
        tokio::spawn(async move { tokio::join!(store.finish(ends), store.enqueue(vec![neighbour])) })
    });
    for call in calls.collect::<Vec<_>>() {
        let (ended, submitted) = call.await.unwrap();
        assert_eq!(ended.unwrap_err().kind(), StoreErrorKind::Corrupt);
        assert_eq!(submitted.unwrap(), [Enqueued::Created(TaskStatus::Pending)]);
    }
    for it in good {
        assert_eq!(get(&store, it.id).await.unwrap().status, TaskStatus::Running, "its end was undone");
    }
    let statistics = store.statistics().await.unwrap();
    let count = |status| statistics.now.get(status);
    assert_eq!((count(TaskStatus::Running), count(TaskStatus::Pending)), (2 * EACH as u64, EACH as u64));
    assert_eq!((count(TaskStatus::Failed), statistics.finished.total()), (0, 0));
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
