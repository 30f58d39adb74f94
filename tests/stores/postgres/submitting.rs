//! How tasks get in: what is plain by one statement, and nobody waits for a stranger's transaction.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ddd_core::{
    Enlist, Name, PostgresStore, Priority, StoreErrorKind, TaskId, TaskStatus, TaskStore, Timestamp,
    domain::{IdempotencyKey, Label, Until},
    ports::{Control, Due, Enqueued, NewTask, QueueSettings, StoreSettings},
};
use futures_util::future::join_all;
use sqlx::AssertSqlSafe;

use super::{
    proxy::Proxy,
    support::{fresh, fresh_task, pool, server},
};
use crate::sqlite::support::{QUEUE, claim, declare, enqueue, get, succeed};

/// Who waits for a stranger's transaction waits as long as a call may take.
const LIMIT: Duration = Duration::from_secs(3);
const PENDING: Enqueued = Enqueued::Created(TaskStatus::Pending);

async fn impatient(namespace: &str) -> PostgresStore {
    let options = PostgresStore::options().namespace(namespace).connections(3).statement_timeout(LIMIT);
    options.connect(server().url()).await.unwrap()
}

fn unique(key: &str) -> NewTask {
    let mut task = fresh_task();
    let mut label = Label::default();
    label.unique_key = Some(key.to_owned());
    task.label = Some(Box::new(label));
    task.unique_until = Some(Until::Finished);
    task
}

fn said(key: &str) -> NewTask {
    let mut task = fresh_task();
    task.idempotency = Some(Box::new(IdempotencyKey::new(key)));
    task
}

/// Whatever a task that was made a moment ago meets: the statement for those does not look into the history.
#[tokio::test]
async fn a_new_task_is_stored_once_and_runs_once_however_often_it_is_submitted() {
    let (store, namespace) = fresh().await;
    let other = PostgresStore::options().namespace(&namespace).connect(server().url()).await.unwrap();
    declare(&store, 1).await;
    let first = fresh_task();
    assert_eq!(enqueue(&store, first.clone()).await, PENDING);
    assert_eq!(enqueue(&store, first.clone()).await, Enqueued::AlreadyCreated);
    assert_eq!(enqueue(&other, first.clone()).await, Enqueued::AlreadyCreated);
    let claimed = claim(&store, 1, 10).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!((claimed[0].id, claimed[0].priority), (first.id, first.priority));
    succeed(&store, &claimed[0]).await;
    assert_eq!(enqueue(&store, first.clone()).await, Enqueued::AlreadyCreated, "it has ended");
    assert_eq!(enqueue(&other, first.clone()).await, Enqueued::AlreadyCreated, "it has ended");
    let both = vec![fresh_task(), first];
    assert_eq!(store.enqueue(both.clone()).await.unwrap(), [PENDING, Enqueued::AlreadyCreated]);
    let again = [both[0].clone(), both[0].clone()].to_vec();
    assert_eq!(store.enqueue(again).await.unwrap(), [Enqueued::AlreadyCreated, Enqueued::AlreadyCreated]);
    assert_eq!(claim(&store, 1, 10).await.len(), 1);
    assert_eq!(store.statistics().await.unwrap().submitted, 2);
}

#[tokio::test]
async fn what_a_new_task_says_is_stored_by_itself_and_among_others() {
    let (store, _) = fresh().await;
    let mut task = fresh_task();
    (task.due, task.max_attempts, task.timeout) = (Due::In(Duration::from_secs(60)), 7, Duration::from_secs(11));
    task.priority = Priority::clamped(3);
    let mut label = Label::default();
    label.tags = vec![Name::new("red"), Name::new("blue")];
    label.origin.owner = Some("somebody".into());
    task.label = Some(Box::new(label));
    let mut beside = fresh_task();
    beside.due = Due::At(Timestamp::from_micros(1));
    let mut now = task.clone();
    now.due = Due::Now;
    // Twice alone and due at once: the second one need not look at its queue any more.
    for mut all in
        [vec![now.clone()], vec![now.clone()], vec![task.clone()], vec![beside, task.clone()], vec![now, task]]
    {
        all.iter_mut().for_each(|it| it.id = fresh_task().id);
        let answers = store.enqueue(all.clone()).await.unwrap();
        for (task, answer) in all.into_iter().zip(answers) {
            let record = get(&store, task.id).await.unwrap();
            let (status, after) = match task.due {
                Due::In(after) => (TaskStatus::Delayed, after),
                _ => (TaskStatus::Pending, Duration::ZERO),
            };
            assert_eq!((record.status, answer), (status, Enqueued::Created(status)));
            assert_eq!((record.max_attempts, record.priority), (task.max_attempts, task.priority));
            assert_eq!((record.timeout, record.label), (task.timeout, task.label));
            assert_eq!((record.name, record.queue), (task.name, task.queue));
            assert_eq!(record.params.get(), task.params.get());
            if !matches!(task.due, Due::At(_)) {
                assert_eq!(record.due.since(record.created_at), after);
            }
        }
    }
    let statistics = store.statistics().await.unwrap();
    assert_eq!((statistics.submitted, statistics.now.get(TaskStatus::Pending)), (7, 4));
}

/// A process remembers for a moment that a queue has no bound.
#[tokio::test]
async fn a_bound_holds_for_who_submitted_just_before_it_was_set() {
    let (store, namespace) = fresh().await;
    let other = PostgresStore::options().namespace(&namespace).connect(server().url()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(enqueue(&other, fresh_task()).await, PENDING);
    }
    let mut settings = StoreSettings::default();
    settings.queues.push((QUEUE, QueueSettings::new().max_depth(2)));
    store.configure(settings).await.unwrap();
    assert!(matches!(enqueue(&other, fresh_task()).await, Enqueued::Full { .. }));
    // And it ends for all.
    let mut settings = StoreSettings::default();
    settings.queues.push((QUEUE, QueueSettings::new()));
    store.configure(settings).await.unwrap();
    assert_eq!(enqueue(&other, fresh_task()).await, PENDING);
}

/// The depth of a queue is counted, whatever else is submitted in the same moment.
#[tokio::test]
async fn a_queue_takes_no_more_new_tasks_than_its_bound() {
    let (store, _) = fresh().await;
    let mut settings = StoreSettings::default();
    settings.queues.push((QUEUE, QueueSettings::new().max_depth(5)));
    store.configure(settings).await.unwrap();
    let submit = |number: usize| {
        let mut task = fresh_task();
        if number % 2 == 1 {
            task.queue = Name::new("free");
        }
        enqueue(&store, task)
    };
    let answers = join_all((0..40).map(submit)).await;
    assert_eq!(answers.iter().filter(|it| **it == PENDING).count(), 25, "{answers:?}");
    assert_eq!(answers.iter().filter(|it| matches!(it, Enqueued::Full { .. })).count(), 15, "{answers:?}");
}

/// A user's transaction holds a unique key and an idempotency key, and is the first to name a queue and a task.
#[tokio::test]
async fn an_open_transaction_holds_up_nobody_but_those_of_its_keys() {
    let (store, namespace) = fresh().await;
    let strangers = impatient(&namespace).await;
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    let held = unique("task:held");
    let mut first = fresh_task();
    (first.queue, first.name) = (Name::new("new-queue"), Name::new("new-task"));
    let mut also = first.clone();
    also.id = fresh_task().id;
    store.on(&mut tx).enlist(vec![held.clone(), said("said"), first]).await.unwrap();

    let beside = fresh_task();
    let waiting = {
        let (strangers, beside) = (strangers.clone(), beside.clone());
        tokio::spawn(async move { strangers.enqueue(vec![unique("task:held"), beside]).await })
    };
    let refused = strangers.enqueue(vec![said("said")]);
    let began = Instant::now();
    let others = [unique("task:free"), fresh_task(), said("unsaid"), also].map(|it| enqueue(&strangers, it));
    let others = tokio::time::timeout(LIMIT, join_all(others)).await.unwrap();
    assert_eq!(others, [PENDING; 4]);
    assert!(began.elapsed() < LIMIT, "strangers wait for the transaction");
    let error = refused.await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(source.contains("idempotency key"), "{source}");
    assert!(waiting.await.unwrap().is_err(), "it waited for as long as a call may take");
    assert!(store.get(vec![beside.id]).await.unwrap()[0].is_none(), "what is refused is refused as a whole");

    let waiting = {
        let strangers = strangers.clone();
        tokio::spawn(async move { strangers.enqueue(vec![fresh_task(), unique("task:held")]).await })
    };
    // It has been tried once, at least, when another one with a key is through.
    assert_eq!(enqueue(&strangers, unique("task:after")).await, PENDING);
    tx.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), [PENDING, Enqueued::Duplicate(held.id)]);
}

/// Two transactions name what nobody has named before, in opposite order.
#[tokio::test]
async fn transactions_that_name_new_tasks_and_queues_do_not_wait_for_each_other() {
    let (store, _) = fresh().await;
    let pool = pool().await;
    let named = |name: &str| {
        let mut task = fresh_task();
        (task.name, task.queue) = (Name::from(name), Name::from(name));
        task
    };
    let mut one = pool.begin().await.unwrap();
    let mut two = pool.begin().await.unwrap();
    // This one sees the tables as they are now.
    sqlx::raw_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class")
        .execute(&mut *two)
        .await
        .unwrap();
    for (first, second) in [("a", "b"), ("b", "a")] {
        for (tx, name) in [(&mut one, first), (&mut two, second)] {
            let mut within = store.on(tx);
            let enlisted = tokio::time::timeout(LIMIT, within.enlist(vec![named(name)])).await;
            assert_eq!(enlisted.unwrap().unwrap(), [PENDING]);
        }
    }
    one.commit().await.unwrap();
    two.rollback().await.unwrap();
    let states = store.queues().await.unwrap();
    let waiting = |name: &str| states.iter().find(|it| it.name == *name).map_or(0, |it| it.counts.total());
    assert_eq!((waiting("a"), waiting("b")), (1, 1));
}

/// A plain submission that hangs, here because somebody else stores the same id and does not commit, does not hold up those that
/// come after it.
#[tokio::test]
async fn a_batch_that_hangs_holds_up_no_other() {
    let (store, namespace) = fresh().await;
    enqueue(&store, fresh_task()).await;
    let hanging = fresh_task();
    let pool = pool().await;
    let mut tx = pool.begin().await.unwrap();
    let text = format!(
        "INSERT INTO {namespace}.task (id, status, priority, queue, kind, max_attempts, rank, due, timeout, created_at, params) \
         SELECT $1, 1, 0, 1, 1, 1, 1, 1, 1, 1, '{{}}'"
    );
    sqlx::query(AssertSqlSafe(text)).bind(hanging.id.as_uuid()).execute(&mut *tx).await.unwrap();
    // So that the lone one after it looks at nothing but itself.
    enqueue(&store, fresh_task()).await;
    let hung = tokio::spawn({
        let (store, hanging) = (store.clone(), hanging.clone());
        async move { enqueue(&store, hanging).await }
    });
    let waits =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%' || $1 || '%')";
    while !sqlx::query_scalar::<_, bool>(waits).bind(&namespace).fetch_one(&pool).await.unwrap() {
        tokio::task::yield_now().await;
    }
    let other = tokio::time::timeout(Duration::from_secs(4), enqueue(&store, fresh_task())).await;
    assert_eq!(other.unwrap(), PENDING);
    tx.commit().await.unwrap();
    assert_eq!(hung.await.unwrap(), Enqueued::AlreadyCreated);
    assert_eq!(store.statistics().await.unwrap().submitted, 3, "what was refused is not counted");
}

/// Many large tasks that are submitted in one moment are too much for one statement, and a change of their status leaves their
/// parameters where they are.
#[tokio::test]
async fn large_parameters_go_in_pieces_and_once() {
    const COUNT: usize = 12;
    const LARGE: usize = 1 << 20;
    let proxy = Proxy::to(server().url()).await;
    let namespace = server().fresh_namespace();
    let options = PostgresStore::options().namespace(&namespace).connections(1).listen(false);
    let store = options.connect(&proxy.url()).await.unwrap();
    declare(&store, 1).await;
    let params = format!("{{\"text\":\"{}\"}}", "x".repeat(LARGE));
    let large = |due: Due| {
        let params: Arc<serde_json::value::RawValue> =
            serde_json::value::RawValue::from_string(params.clone()).unwrap().into();
        let mut task = NewTask::new(fresh_task().id, Name::new("task"), QUEUE, params);
        task.due = due;
        task
    };
    let delay = Due::In(Duration::from_millis(1));
    let answers = join_all((0..COUNT).map(|_| enqueue(&store, large(delay)))).await;
    assert_eq!(answers, vec![Enqueued::Created(TaskStatus::Delayed); COUNT]);
    let sent = proxy.passed();
    assert!(sent > COUNT * LARGE && sent < COUNT * LARGE * 3 / 2, "{sent} bytes passed");
    tokio::time::sleep(Duration::from_millis(5)).await;
    store.reap(100).await.unwrap();
    let ids = answers_of(&store).await;
    assert_eq!(ids.len(), COUNT, "all are ready");
    store.control(Control::Cancel { ids: ids[..COUNT / 2].to_vec(), reason: String::new() }).await.unwrap();
    store.control(Control::Retry { ids: ids[..1].to_vec() }).await.unwrap();
    let changed = proxy.passed() - sent;
    assert!(changed < LARGE, "{changed} bytes passed for changes of status");
    let record = get(&store, ids[0]).await.unwrap();
    assert_eq!((record.status, record.run, record.params.get().len()), (TaskStatus::Pending, 2, params.len()));
    let record = get(&store, ids[1]).await.unwrap();
    assert_eq!((record.status, record.params.get().len()), (TaskStatus::Cancelled, params.len()));
}

/// The ids of what is ready, by a way of its own.
async fn answers_of(store: &PostgresStore) -> Vec<TaskId> {
    let namespace =
        store.migrations().split("CREATE SCHEMA IF NOT EXISTS ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let text = format!("SELECT id FROM {namespace}.task WHERE status = 0 ORDER BY id");
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(&pool().await).await.unwrap();
    ids.into_iter().map(TaskId::from).collect()
}
