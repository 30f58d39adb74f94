//! What only the store in memory promises: its bounds, its transactions, and order after much has changed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ddd_core::{
    Enlist, EnlistNow, MemoryStore, Name, Priority, TaskId, TaskStatus, TaskStore, Timestamp,
    domain::{AttemptError, FailureKind, Filter, IdempotencyKey, Label, Until, WorkerId},
    ports::{
        AttemptEnd, ClaimRequest, Claimed, Control, Declaration, Due, Enqueued, Finish, KnownTask, NewTask,
        QueueSettings, StoreSettings, Watcher,
    },
};
use serde_json::value::RawValue;

use crate::watch::{Watch, now};

const NAME: Name = Name::new("task");
const QUEUE: Name = Name::new("default");
const LEASE: Duration = Duration::from_secs(15);
const HOUR: Duration = Duration::from_secs(3_600);

fn worker() -> WorkerId {
    uuid::Uuid::from_u128(1).into()
}

fn new_store(change: impl FnOnce(&mut StoreSettings)) -> MemoryStore {
    let store = MemoryStore::new();
    let mut settings = StoreSettings::default();
    change(&mut settings);
    now(store.configure(settings));
    let known = vec![KnownTask { name: NAME, version: 1 }];
    now(store.declare(Declaration::new(worker(), String::new(), vec![QUEUE], known, 4, HOUR)));
    store
}

fn task(number: u64) -> NewTask {
    let params: Arc<RawValue> = RawValue::from_string("{}".to_owned()).unwrap().into();
    let id = TaskId::from_parts(Timestamp::from_micros(1_700_000_000_000_000), 0, number);
    NewTask::new(id, NAME, QUEUE, params)
}

fn unique(number: u64) -> NewTask {
    let mut task = task(number);
    let mut label = Label::default();
    label.unique_key = Some("task:a".to_owned());
    task.label = Some(Box::new(label));
    task.unique_until = Some(Until::Finished);
    task
}

fn claim(store: &MemoryStore, max: usize) -> Vec<Claimed> {
    now(store.claim(ClaimRequest::new(worker(), [(QUEUE, max)].into(), max, LEASE, true))).tasks
}

fn run(store: &MemoryStore, number: u64, end: AttemptEnd) -> TaskId {
    now(store.enqueue(vec![task(number)]));
    let claimed = claim(store, 1).remove(0);
    now(store.finish(vec![Finish::new(claimed.id, claimed.fence, end)]));
    claimed.id
}

fn success(result: Option<&str>) -> AttemptEnd {
    let result = result.map(|it| Arc::from(RawValue::from_string(it.to_owned()).unwrap()));
    AttemptEnd::Success { result, ttl: HOUR }
}

fn failed() -> AttemptEnd {
    AttemptEnd::Failed(AttemptError::new(FailureKind::Error, "broken".to_owned()))
}

fn count(store: &MemoryStore, status: TaskStatus) -> u64 {
    now(store.statistics()).now.get(status)
}

#[test]
fn finished_records_are_bounded_and_failed_ones_counted_apart() {
    let store = new_store(|it| it.history_max = 10);
    let first = run(&store, 0, success(None));
    for number in 1..50 {
        run(&store, number, if number % 5 == 0 { failed() } else { success(None) });
        assert!(count(&store, TaskStatus::Success) <= 10);
    }
    assert_eq!((count(&store, TaskStatus::Success), count(&store, TaskStatus::Failed)), (10, 9));
    assert!(now(store.get(vec![first]))[0].is_none());
    assert_eq!(now(store.statistics()).finished.total(), 50, "what was counted stays counted");
}

#[test]
fn a_lower_bound_is_reached_by_upkeep() {
    let store = new_store(|_| {});
    for number in 0..50 {
        run(&store, number, success(None));
    }
    let mut settings = StoreSettings::default();
    settings.history_max = 3;
    now(store.configure(settings));
    let reaped = now(store.reap(40));
    assert_eq!((reaped.pruned, reaped.more), (40, true));
    assert_eq!(now(store.reap(40)).pruned, 7);
    assert_eq!(count(&store, TaskStatus::Success), 3);
}

#[test]
fn what_is_over_is_found_at_once_however_many_wait() {
    let store = new_store(|_| {});
    for number in 0..30 {
        run(&store, number, success(None));
    }
    now(store.enqueue((100..40_000).map(task).collect()));
    let over = |cursor| now(store.list(Filter::all().finished(), cursor, 20));
    let first = over(None);
    let ids = |numbers: std::ops::Range<u64>| numbers.rev().map(|number| task(number).id).collect::<Vec<_>>();
    assert_eq!(first.items.iter().map(|it| it.id).collect::<Vec<_>>(), ids(10..30));
    let second = over(first.next);
    assert_eq!(second.items.iter().map(|it| it.id).collect::<Vec<_>>(), ids(0..10));
    assert!(second.next.is_none());
    let waiting = now(store.list(Filter::all().status(TaskStatus::Delayed), None, 20));
    assert!(waiting.items.is_empty() && waiting.next.is_some(), "what waits is looked for in pieces");
}

#[test]
fn the_least_recently_used_results_are_dropped() {
    let store = new_store(|it| it.results_max = 3);
    let has_result = |id| now(store.list(Filter::all().ids([id]), None, 1)).items[0].has_result;
    let first = run(&store, 0, success(Some("0")));
    let second = run(&store, 1, success(Some("1")));
    let third = run(&store, 2, success(Some("2")));
    run(&store, 3, success(None));
    assert!(has_result(third) && has_result(second), "a null costs nothing");
    now(store.get(vec![first]));
    let fourth = run(&store, 4, success(Some("4")));
    // A list shows no result, so it uses none: the second is the oldest although it was listed last.
    assert_eq!([first, second, third, fourth].map(has_result), [true, false, true, true]);
    assert_eq!(count(&store, TaskStatus::Success), 5, "the records stay");
}

#[test]
fn order_survives_that_most_tasks_leave_the_line() {
    let store = new_store(|_| {});
    let watch = Watch::attached(&store);
    let ids = (0..2_000).map(|number| task(number).id).collect::<Vec<_>>();
    now(store.enqueue((0..2_000).map(task).collect()));
    let reprioritise = |ids: Vec<TaskId>, level| {
        let priority = Some(Priority::clamped(level));
        now(store.control(Control::Reprioritise { ids, priority, due: None }))
    };
    for level in [3, -3, 10, 0] {
        reprioritise(ids.iter().copied().step_by(3).collect(), level);
    }
    let cancelled = ids.iter().copied().filter(|it| it.as_u128() % 10 != 0).collect::<Vec<_>>();
    now(store.control(Control::Cancel { ids: cancelled, reason: String::new() }));
    let expected = ids.iter().copied().filter(|it| it.as_u128() % 10 == 0).collect::<Vec<_>>();
    watch.check(&store);
    assert_eq!(claim(&store, 2_000).iter().map(|it| it.id).collect::<Vec<_>>(), expected);
}

#[test]
fn a_burst_leaves_nothing_behind_that_could_be_mistaken() {
    let store = new_store(|it| it.history_max = 0);
    for burst in 0..3 {
        now(store.enqueue((burst * 10_000..(burst + 1) * 10_000).map(task).collect()));
        let claimed = claim(&store, 10_000);
        assert_eq!(claimed.len(), 10_000);
        assert!(claimed.iter().map(|it| it.id).is_sorted());
        now(store.finish(claimed.iter().map(|it| Finish::new(it.id, it.fence, success(None))).collect()));
        while now(store.reap(1_000)).more {}
        for _ in 0..10 {
            now(store.reap(1_000));
        }
        assert_eq!(now(store.statistics()).now.total(), 0);
    }
}

#[tokio::test]
async fn a_transaction_stores_all_at_its_commit_or_nothing() {
    let store = new_store(|_| {});
    let watch = Watch::attached(&store);
    let mut transaction = store.begin();
    let mut late = task(1);
    late.due = Due::In(HOUR);
    let answers = Enlist::enlist(&mut transaction, vec![task(0), late]).await.unwrap();
    assert_eq!(answers, [Enqueued::Created(TaskStatus::Pending), Enqueued::Created(TaskStatus::Delayed)]);
    let answers = EnlistNow::enlist(&transaction, vec![task(0), task(2)]).unwrap();
    assert_eq!(answers, [Enqueued::AlreadyCreated, Enqueued::Created(TaskStatus::Pending)]);
    assert!(watch.check(&store).is_empty(), "nothing is seen before the commit");
    transaction.commit().unwrap();
    assert_eq!(watch.check(&store).len(), 3);
    assert_eq!(claim(&store, 10).len(), 2);

    let transaction = store.begin();
    EnlistNow::enlist(&transaction, vec![task(5)]).unwrap();
    drop(transaction);
    assert_eq!(watch.check(&store).len(), 3, "dropped is rolled back");
}

#[test]
fn a_transaction_sees_what_stands_against_its_tasks() {
    let store = new_store(|it| it.queues.push((QUEUE, QueueSettings::new().max_depth(3))));
    let transaction = store.begin();
    let answers = EnlistNow::enlist(&transaction, vec![unique(0), unique(1), task(2), task(3), task(4)]).unwrap();
    let created = Enqueued::Created(TaskStatus::Pending);
    assert_eq!(answers[..4], [created.clone(), Enqueued::Duplicate(task(0).id), created.clone(), created]);
    assert!(matches!(answers[4], Enqueued::Full { .. }));
    transaction.commit().unwrap();
    assert_eq!(claim(&store, 10).len(), 3);
}

#[test]
fn a_commit_fails_as_a_whole_if_others_came_first() {
    let store = new_store(|it| it.queues.push((QUEUE, QueueSettings::new().max_depth(2))));
    let transaction = store.begin();
    EnlistNow::enlist(&transaction, vec![task(0), unique(1)]).unwrap();
    now(store.enqueue(vec![unique(2)]));
    assert!(transaction.commit().unwrap_err().is_transient(), "the key is taken");
    let transaction = store.begin();
    EnlistNow::enlist(&transaction, vec![task(3)]).unwrap();
    now(store.enqueue(vec![task(4)]));
    assert!(transaction.commit().unwrap_err().is_transient(), "the queue is full");
    let ids = claim(&store, 10).iter().map(|it| it.id).collect::<Vec<_>>();
    assert_eq!(ids, [task(2).id, task(4).id]);
}

/// Counts the ends that it was told.
#[derive(Debug, Default)]
struct Told(AtomicUsize);

impl Watcher for Told {
    fn ended(&self, _: TaskStatus, _: Option<Arc<RawValue>>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn watchers_that_are_gone_do_not_pile_up() {
    let store = MemoryStore::new();
    let mut task = task(1);
    let id = task.id;
    task.due = Due::In(HOUR);
    now(store.enqueue(vec![task]));
    let kept: Vec<_> = (0..3).map(|_| Arc::new(Told::default())).collect();
    let mut gone = Vec::new();
    for number in 0..10_000 {
        if let Some(kept) = kept.get(number / 4_000).filter(|_| number % 4_000 == 0) {
            store.watch(id, kept.clone());
        }
        let watcher = Arc::new(Told::default());
        gone.push(Arc::downgrade(&watcher));
        store.watch(id, watcher);
    }
    let left = gone.iter().filter(|it| it.strong_count() > 0).count();
    assert!(left < 50, "{left} of 10,000 watchers are kept");
    now(store.control(Control::Cancel { ids: vec![id], reason: String::new() }));
    assert!(kept.iter().all(|it| it.0.load(Ordering::SeqCst) == 1), "those that are held are told");
}

fn keyed(number: u64, key: &str) -> NewTask {
    let mut task = task(number);
    task.idempotency = Some(Box::new(IdempotencyKey::new(key)));
    task
}

#[test]
fn more_idempotency_keys_than_the_bound_cost_those_that_end_soonest() {
    let store = new_store(|it| it.idempotency_keys_max = 2);
    let short = |number, key: &str| {
        let mut task = keyed(number, key);
        task.idempotency = Some(Box::new(IdempotencyKey::new(key).ttl(HOUR)));
        task
    };
    let created = Enqueued::Created(TaskStatus::Pending);
    let answers = now(store.enqueue(vec![keyed(0, "a"), short(1, "b"), keyed(2, "c"), keyed(3, "a"), short(4, "b")]));
    let again = Enqueued::Replayed { id: task(0).id, status: TaskStatus::Pending };
    assert_eq!(answers, [created.clone(), created.clone(), created.clone(), again, created.clone()]);
    // The second "b" was given up at once: it ends sooner than the two that are kept.
    assert_eq!(now(store.enqueue(vec![short(5, "b")])), [created]);
}

#[test]
fn a_transaction_keeps_idempotency_keys_from_its_commit_on() {
    let store = new_store(|_| {});
    let transaction = store.begin();
    let answers = EnlistNow::enlist(&transaction, vec![keyed(0, "a"), keyed(1, "a")]).unwrap();
    let again = Enqueued::Replayed { id: task(0).id, status: TaskStatus::Pending };
    assert_eq!(answers, [Enqueued::Created(TaskStatus::Pending), again.clone()]);
    drop(transaction);
    let transaction = store.begin();
    EnlistNow::enlist(&transaction, vec![keyed(0, "a")]).unwrap();
    transaction.commit().unwrap();
    assert_eq!(now(store.enqueue(vec![keyed(1, "a")])), std::slice::from_ref(&again));
    let transaction = store.begin();
    assert_eq!(EnlistNow::enlist(&transaction, vec![keyed(2, "a")]).unwrap(), [again]);
    EnlistNow::enlist(&transaction, vec![keyed(3, "b")]).unwrap();
    now(store.enqueue(vec![keyed(4, "b")]));
    let problem = transaction.commit().unwrap_err();
    assert!(problem.is_transient());
}
