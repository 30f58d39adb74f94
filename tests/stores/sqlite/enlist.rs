//! Submission inside the user's own transaction, in the same file.

use ddd_core::{
    EnlistNow, SqliteStore, StoreErrorKind, TaskId, TaskStatus, TaskStore,
    domain::{IdempotencyKey, Label, Until},
    ports::{Enqueued, NewTask, QueueSettings, StoreSettings},
};
use rusqlite::Connection;

use super::{
    Folder,
    support::{QUEUE, claim, declare, enqueue, get, succeed, task, task_with},
};

async fn open(folder: &Folder) -> (SqliteStore, Connection) {
    let store = SqliteStore::open(folder.file()).unwrap();
    declare(&store, 1).await;
    let db = Connection::open(folder.file()).unwrap();
    db.execute("CREATE TABLE orders (id INTEGER)", []).unwrap();
    (store, db)
}

fn unique(number: u64) -> NewTask {
    let mut label = Label::default();
    label.unique_key = Some("task:a".to_owned());
    let mut task = task(number);
    task.label = Some(Box::new(label));
    task.unique_until = Some(Until::Finished);
    task
}

#[tokio::test]
async fn a_task_exists_if_and_only_if_its_transaction_commits() {
    let folder = Folder::new();
    let (store, mut db) = open(&folder).await;
    let transaction = db.transaction().unwrap();
    transaction.execute("INSERT INTO orders VALUES (1)", []).unwrap();
    let answers = transaction.enlist(vec![task(0), task(1)]).unwrap();
    assert_eq!(answers, [Enqueued::Created(TaskStatus::Pending), Enqueued::Created(TaskStatus::Pending)]);
    assert!(get(&store, task(0).id).await.is_none(), "nothing is seen before the commit");
    drop(transaction);
    assert!(get(&store, task(0).id).await.is_none(), "dropped is rolled back");
    let transaction = db.transaction().unwrap();
    transaction.enlist(vec![task(2)]).unwrap();
    transaction.commit().unwrap();
    let claimed = claim(&store, 1, 10).await;
    assert_eq!(claimed.iter().map(|it| it.id).collect::<Vec<_>>(), [task(2).id]);
    let statistics = store.statistics().await.unwrap();
    assert_eq!((statistics.submitted, statistics.now.total()), (1, 1), "what was rolled back is not counted");
}

#[tokio::test]
async fn what_stands_against_a_task_is_seen_in_the_transaction() {
    let folder = Folder::new();
    let (store, mut db) = open(&folder).await;
    let mut settings = StoreSettings::default();
    settings.queues.push((QUEUE, QueueSettings::new().max_depth(3)));
    store.configure(settings).await.unwrap();
    let holder = unique(0).id;
    enqueue(&store, unique(0)).await;
    let transaction = db.transaction().unwrap();
    let mut keyed = task(2);
    keyed.idempotency = Some(Box::new(IdempotencyKey::new("a")));
    let mut again = task(3);
    again.idempotency.clone_from(&keyed.idempotency);
    let answers = transaction.enlist(vec![unique(1), keyed, again, task(4), task(5)]).unwrap();
    let created = Enqueued::Created(TaskStatus::Pending);
    let replayed = Enqueued::Replayed { id: task(2).id, status: TaskStatus::Pending };
    assert_eq!(answers[..4], [Enqueued::Duplicate(holder), created.clone(), replayed, created]);
    assert!(matches!(answers[4], Enqueued::Full { .. }));
    transaction.commit().unwrap();
    assert_eq!(claim(&store, 1, 10).await.len(), 3);
}

/// The statement alone, as a driver that knows nothing of this crate executes it.
fn execute(db: &Connection, task: &NewTask) {
    db.execute(SqliteStore::ENLIST, <[String; 2]>::from(SqliteStore::enlist_values(task).unwrap())).unwrap();
}

#[tokio::test]
async fn the_statement_does_for_any_driver() {
    let folder = Folder::new();
    let (store, mut db) = open(&folder).await;
    let large = task_with(1, &format!("\"{}\"", "x".repeat(5_000)));
    let mut keyed = unique(2);
    keyed.idempotency = Some(Box::new(IdempotencyKey::new("a").scope("b")));
    keyed.priority = ddd_core::Priority::clamped(3);
    let transaction = db.transaction().unwrap();
    execute(&transaction, &task(0));
    drop(transaction);
    let transaction = db.transaction().unwrap();
    for it in [&large, &keyed, &large, &unique(3)] {
        execute(&transaction, it);
    }
    transaction.commit().unwrap();
    let claimed = claim(&store, 1, 10).await;
    let ids: Vec<TaskId> = claimed.iter().map(|it| it.id).collect();
    assert_eq!(ids, [keyed.id, large.id], "once each, by their priority, and without the duplicate");
    assert_eq!(claimed[1].params.get(), large.params.get());
    for it in &claimed {
        succeed(&store, it).await;
    }
    let mut again = task(9);
    again.idempotency.clone_from(&keyed.idempotency);
    assert!(matches!(enqueue(&store, again).await, Enqueued::Replayed { id, .. } if id == keyed.id));
    assert_eq!(enqueue(&store, unique(4)).await, Enqueued::Created(TaskStatus::Pending), "its key is free again");
}

#[test]
fn a_file_without_a_store_says_so() {
    let db = Connection::open_in_memory().unwrap();
    let error = db.enlist(vec![task(0)]).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Misconfigured);
    assert!(db.is_autocommit(), "the connection is as it was");
}
