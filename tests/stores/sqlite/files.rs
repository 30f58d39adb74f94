//! What becomes of a file: across processes, versions and settings.

use std::{
    collections::BTreeSet,
    error::Error,
    sync::{Arc, Barrier},
    thread,
    time::Duration,
};

use ddd_core::{
    Durability, SqliteOptions, SqliteStore, StoreErrorKind, TaskStatus, TaskStore, Transition,
    ports::{Enqueued, Signal, SignalSink},
};
use tokio::sync::Notify;

use super::{
    Folder,
    support::{claim, declare, enqueue, get, succeed, task, task_with, worker},
};

#[tokio::test]
async fn what_was_acknowledged_is_there_after_the_store_is_opened_again() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).unwrap();
    declare(&store, 1).await;
    store.enqueue((0..10).map(task).collect()).await.unwrap();
    let claimed = claim(&store, 1, 3).await;
    succeed(&store, &claimed[0]).await;
    drop(store);
    let store = SqliteStore::open(folder.file()).unwrap();
    assert_eq!(get(&store, claimed[0].id).await.unwrap().status, TaskStatus::Success);
    let held = get(&store, claimed[1].id).await.unwrap();
    assert_eq!((held.status, held.worker, held.fence), (TaskStatus::Running, Some(worker(1)), claimed[1].fence));
    assert_eq!(claim(&store, 1, 100).await.len(), 7, "the worker is known, and the others are ready");
    assert_eq!(succeed(&store, &claimed[1]).await, ddd_core::ports::Finished::Applied(TaskStatus::Success));
    assert_eq!(store.statistics().await.unwrap().submitted, 10);
}

/// The first start of several processes: each wants to be the one that makes the file what it is.
#[test]
fn many_that_start_together_make_the_file_once() {
    for _ in 0..50 {
        let folder = Folder::new();
        let together = Barrier::new(8);
        thread::scope(|scope| {
            let opened = [(); 8].map(|()| {
                scope.spawn(|| {
                    together.wait();
                    SqliteStore::open(folder.file()).map(drop)
                })
            });
            for opened in opened {
                opened.join().unwrap().unwrap();
            }
        });
    }
}

#[tokio::test]
async fn stores_on_one_file_share_their_tasks() {
    let folder = Folder::new();
    let options = || SqliteStore::options(folder.file()).durability(Durability::PowerCutLosesTheLastCommits);
    let stores: Vec<_> = (0..3).map(|_| options().open().unwrap()).collect();
    let mut racers = Vec::new();
    for (number, store) in (1..).zip(&stores) {
        declare(store, number).await;
        let store = store.clone();
        racers.push(tokio::spawn(async move {
            let first = u64::try_from(number).unwrap() * 1_000;
            let mut mine = Vec::new();
            for round in 0..20 {
                store.enqueue((0..10).map(|it| task(first + round * 10 + it)).collect()).await.unwrap();
                for claimed in claim(&store, number, 10).await {
                    assert_eq!(
                        succeed(&store, &claimed).await,
                        ddd_core::ports::Finished::Applied(TaskStatus::Success)
                    );
                    mine.push(claimed.id);
                }
            }
            mine
        }));
    }
    let mut all = Vec::new();
    for racer in racers {
        all.extend(racer.await.unwrap());
    }
    loop {
        let left = claim(&stores[0], 1, 50).await;
        if left.is_empty() {
            break;
        }
        for claimed in left {
            succeed(&stores[0], &claimed).await;
            all.push(claimed.id);
        }
    }
    assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (600, 600), "each ran once");
    let statistics = stores[2].statistics().await.unwrap();
    assert_eq!((statistics.submitted, statistics.now.get(TaskStatus::Success)), (600, 600));
    assert_eq!(statistics.now.total(), 600);
}

/// Notes that it was asked to look.
#[derive(Default)]
struct Woken(Notify);

impl SignalSink for Woken {
    fn record(&self, _: &Transition) -> bool {
        false
    }

    fn signal(&self, signal: Signal) {
        if let Signal::Ready { .. } = signal {
            self.0.notify_one();
        }
    }
}

#[tokio::test]
async fn a_process_is_woken_by_what_another_one_writes() {
    let folder = Folder::new();
    let (mine, other) = (SqliteStore::open(folder.file()).unwrap(), SqliteStore::open(folder.file()).unwrap());
    enqueue(&other, task(0)).await;
    let woken = Arc::new(Woken::default());
    mine.attach(Arc::downgrade(&woken) as std::sync::Weak<dyn SignalSink>);
    enqueue(&other, task(1)).await;
    tokio::time::timeout(Duration::from_secs(10), woken.0.notified()).await.unwrap();
}

#[tokio::test]
async fn large_parameters_are_what_they_were() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).unwrap();
    declare(&store, 1).await;
    for (number, size) in (0..).zip([0, 2_000, 2_046, 2_047, 2_048, 5_000, 1 << 20]) {
        let params = format!("\"{}\"", "x".repeat(size));
        let large = task_with(number, &params);
        let id = large.id;
        assert_eq!(enqueue(&store, large.clone()).await, Enqueued::Created(TaskStatus::Pending));
        assert_eq!(enqueue(&store, large).await, Enqueued::AlreadyCreated);
        assert_eq!(get(&store, id).await.unwrap().params.get(), params);
        let claimed = claim(&store, 1, 1).await.remove(0);
        assert_eq!(claimed.params.get(), params);
        succeed(&store, &claimed).await;
        assert_eq!(get(&store, id).await.unwrap().params.get(), params);
    }
}

#[test]
fn a_file_of_a_newer_program_is_refused() {
    let folder = Folder::new();
    drop(SqliteStore::open(folder.file()).unwrap());
    let db = rusqlite::Connection::open(folder.file()).unwrap();
    db.execute("UPDATE ddd_schema SET version = 99", []).unwrap();
    let error = SqliteStore::open(folder.file()).unwrap_err();
    let reason = error.source().unwrap().to_string();
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
    assert!(reason.contains("version 99") && reason.contains("newer program"), "{reason}");
}

#[test]
fn what_is_no_database_is_refused() {
    let folder = Folder::new();
    std::fs::write(
        folder.file(),
        "not a database, but long enough to be looked at as one, which takes 100 bytes; so".repeat(9),
    )
    .unwrap();
    assert_eq!(SqliteStore::open(folder.file()).unwrap_err().kind(), StoreErrorKind::Corrupt);
    let missing = SqliteStore::open(folder.file().join("no").join("folder.db")).unwrap_err();
    assert_eq!(missing.kind(), StoreErrorKind::Misconfigured);
}

#[test]
fn an_address_says_which_file_and_how() {
    assert!(
        format!("{:?}", SqliteOptions::of_url("sqlite:a/b.db?durability=normal&busy_timeout_ms=7").unwrap())
            .contains("path: \"a/b.db\", durability: PowerCutLosesTheLastCommits, busy_timeout: 7ms")
    );
    assert!(
        format!("{:?}", SqliteOptions::of_url("sqlite:///a/b.db").unwrap())
            .contains("path: \"/a/b.db\", durability: Full")
    );
    let refused = [
        ("sqlite:", "write `sqlite:tasks.db`"),
        ("sqlite::memory:", "`memory:`"),
        ("postgres:x", "begins with `sqlite:`"),
        ("sqlite:a?durability=some", "`full`, `normal` or `off`"),
        ("sqlite:a?busy_timeout_ms=soon", "whole number"),
        ("sqlite:a?read_timeout_ms=-1", "`read_timeout_ms` is `-1`"),
        ("sqlite:a?read_timeout_ms=0", "`read_timeout` is zero"),
        ("sqlite:a?cache=1", "`cache` is unknown"),
    ];
    for (url, expected) in refused {
        let error = SqliteOptions::of_url(url).unwrap_err();
        let reason = error.source().unwrap().to_string();
        assert!(reason.contains(expected), "{url}: {reason}");
    }
}

#[tokio::test]
async fn a_time_to_read_is_some_and_may_be_as_long_as_there_are() {
    let folder = Folder::new();
    let refused = SqliteStore::options(folder.file()).read_timeout(Duration::ZERO).open().unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Misconfigured);
    assert!(!folder.file().exists(), "it was not even opened");
    let longest = SqliteStore::options(folder.file()).read_timeout(Duration::MAX).busy_timeout(Duration::MAX);
    assert!(longest.open().unwrap().queues().await.unwrap().is_empty());
    let longest = SqliteOptions::of_url(&format!("sqlite:{}?read_timeout_ms={}", folder.file().display(), u64::MAX));
    assert!(longest.unwrap().open().unwrap().queues().await.unwrap().is_empty());
}
