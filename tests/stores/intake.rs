//! Submissions that are taken at once and sorted in later: nobody who asks, and nobody who waits, can tell.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use ddd_core::{
    Filter, MemoryStore, Name, TaskId, TaskStatus, TaskStore, Timestamp, Transition,
    domain::{Label, WorkerId},
    ports::{
        AttemptEnd, ClaimRequest, Claimed, Declaration, Due, Enqueued, Finish, Finished, KnownTask, NewTask,
        QueueSettings, Signal, SignalSink, StoreSettings,
    },
};
use parking_lot::Mutex;
use serde_json::value::RawValue;

use crate::watch::{Watch, now};

const NAME: Name = Name::new("task");
const QUEUE: Name = Name::new("default");
const HOUR: Duration = Duration::from_secs(3_600);

/// Somebody who is told, and who waits or not.
#[derive(Default)]
struct Listener {
    is_waiting: AtomicBool,
    told: Mutex<Vec<(TaskId, TaskStatus)>>,
    ready: AtomicBool,
}

impl SignalSink for Listener {
    fn record(&self, transition: &Transition) -> bool {
        self.told.lock().push((transition.id, transition.to));
        false
    }

    fn is_waiting(&self) -> bool {
        self.is_waiting.load(Ordering::SeqCst)
    }

    fn signal(&self, signal: Signal) {
        self.ready.fetch_or(matches!(signal, Signal::Ready { .. }), Ordering::SeqCst);
    }
}

fn store_and_listener() -> (MemoryStore, Arc<Listener>) {
    let store = MemoryStore::new();
    let listener = Arc::new(Listener::default());
    let sink: Arc<dyn SignalSink> = listener.clone();
    store.attach(Arc::downgrade(&sink));
    let known = vec![KnownTask { name: NAME, version: 1 }];
    now(store.declare(Declaration::new(worker(), String::new(), vec![QUEUE], known, 4, HOUR)));
    (store, listener)
}

fn worker() -> WorkerId {
    uuid::Uuid::from_u128(1).into()
}

fn id(number: u64) -> TaskId {
    TaskId::from_parts(Timestamp::from_micros(1_700_000_000_000_000), 0, number)
}

fn task(number: u64) -> NewTask {
    let params: Arc<RawValue> = RawValue::from_string("{}".to_owned()).unwrap().into();
    NewTask::new(id(number), NAME, QUEUE, params)
}

fn submit(store: &MemoryStore, task: NewTask) -> Enqueued {
    let mut task = Some(task);
    let answer = store.enqueue_now(&mut task, None).unwrap();
    assert!(task.is_none(), "the task was taken");
    answer
}

fn claim(store: &MemoryStore, max: usize) -> Vec<Claimed> {
    now(store.claim(request(max))).tasks
}

fn request(max: usize) -> ClaimRequest {
    ClaimRequest::new(worker(), [(QUEUE, max)].into(), max, HOUR, true)
}

fn success(claimed: &Claimed) -> Finish {
    Finish::new(claimed.id, claimed.fence, AttemptEnd::Success { result: None, ttl: HOUR })
}

#[test]
fn whoever_asks_finds_what_was_submitted_before() {
    let (store, _listener) = store_and_listener();
    submit(&store, task(1));
    assert_eq!(now(store.get(vec![id(1)]))[0].as_ref().map(|it| it.status), Some(TaskStatus::Pending));
    submit(&store, task(2));
    assert_eq!(now(store.list(Filter::all(), None, 10)).items.len(), 2);
    submit(&store, task(3));
    assert_eq!(now(store.statistics()).submitted, 3);
    submit(&store, task(4));
    assert_eq!(now(store.queues())[0].counts.get(TaskStatus::Pending), 4);
    submit(&store, task(5));
    assert_eq!(claim(&store, 10).iter().map(|it| it.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5].map(id));
}

#[test]
fn who_waits_is_told_at_once_and_who_does_not_by_the_next_call() {
    let (store, listener) = store_and_listener();
    listener.is_waiting.store(true, Ordering::SeqCst);
    submit(&store, task(1));
    assert_eq!(*listener.told.lock(), [(id(1), TaskStatus::Pending)]);
    assert!(listener.ready.load(Ordering::SeqCst), "a worker is to look");
    listener.is_waiting.store(false, Ordering::SeqCst);
    submit(&store, task(2));
    submit(&store, task(3));
    store.settle();
    assert_eq!(*listener.told.lock(), [1, 2, 3].map(|it| (id(it), TaskStatus::Pending)));
}

#[test]
fn what_is_put_off_is_told_in_order_and_with_its_own_time() {
    let (store, listener) = store_and_listener();
    for number in 1..=1_000 {
        submit(&store, task(number));
    }
    let records = now(store.get((1..=1_000).map(id).collect()));
    let times = records.iter().flatten().map(|it| it.created_at).collect::<Vec<_>>();
    assert_eq!(times.len(), 1_000);
    assert!(times.is_sorted());
    let expected = (1..=1_000).map(|it| (id(it), TaskStatus::Pending)).collect::<Vec<_>>();
    assert_eq!(*listener.told.lock(), expected);
}

#[test]
fn a_time_that_the_caller_has_read_counts() {
    let (store, _listener) = store_and_listener();
    let clock = store.clock().unwrap();
    let at = clock.now();
    store.enqueue_now(&mut Some(task(1)), Some(at));
    let record = now(store.get(vec![id(1)])).remove(0).unwrap();
    assert_eq!((record.created_at, record.due), (at, at));
}

#[test]
fn what_depends_on_what_is_there_is_answered_for_what_is_there() {
    let (store, _listener) = store_and_listener();
    submit(&store, task(1));
    let mut unique = task(2);
    let mut label = Label::default();
    label.unique_key = Some("task:a".to_owned());
    unique.label = Some(Box::new(label));
    unique.unique_until = Some(ddd_core::domain::Until::Finished);
    assert_eq!(submit(&store, unique.clone()), Enqueued::Created(TaskStatus::Pending));
    unique.id = id(3);
    assert_eq!(submit(&store, unique), Enqueued::Duplicate(id(2)));
    let mut late = task(4);
    late.due = Due::In(HOUR);
    assert_eq!(submit(&store, late), Enqueued::Created(TaskStatus::Delayed));
    // Told twice, it is there once.
    submit(&store, task(5));
    submit(&store, task(5));
    assert_eq!(now(store.queues())[0].counts.total(), 4);
}

#[test]
fn a_bounded_queue_takes_no_more_than_its_depth() {
    let (store, _listener) = store_and_listener();
    submit(&store, task(1));
    let mut settings = StoreSettings::default();
    let mut bounded = QueueSettings::default();
    bounded.max_depth = Some(3);
    settings.queues.push((QUEUE, bounded));
    now(store.configure(settings));
    let answers = (2..=5).map(|it| submit(&store, task(it))).collect::<Vec<_>>();
    assert_eq!(answers[..2], [Enqueued::Created(TaskStatus::Pending), Enqueued::Created(TaskStatus::Pending)]);
    assert!(answers[2..].iter().all(|it| matches!(it, Enqueued::Full { .. })), "{answers:?}");
    assert_eq!(now(store.queues())[0].counts.get(TaskStatus::Pending), 3);
}

#[test]
fn ends_and_the_next_claim_are_one_step() {
    let (store, _listener) = store_and_listener();
    for number in 1..=4 {
        submit(&store, task(number));
    }
    let first = claim(&store, 2);
    let mut ends = first.iter().map(success);
    let (answers, claims) = store.finish_and_claim_now(&mut ends, &request(2)).unwrap();
    assert_eq!(answers, [Finished::Applied(TaskStatus::Success), Finished::Applied(TaskStatus::Success)]);
    assert_eq!(claims.tasks.iter().map(|it| it.id).collect::<Vec<_>>(), [id(3), id(4)]);
    // Told again, nothing happens again.
    let (answers, _) = store.finish_and_claim_now(&mut first.iter().map(success), &request(1)).unwrap();
    assert_eq!(answers, [Finished::AlreadyApplied, Finished::AlreadyApplied]);
}

/// Submitters, workers and lookers-on at once: every task ends once, and every transition is told once and in order.
#[test]
fn many_at_once_lose_nothing() {
    const SUBMITTERS: u64 = 3;
    const EACH: u64 = 4_000;
    let (store, listener) = store_and_listener();
    let watch = Arc::new(Watch::default());
    let sink: Arc<dyn SignalSink> = watch.clone();
    store.attach(Arc::downgrade(&sink));
    let mut settings = StoreSettings::default();
    settings.history_max = usize::MAX;
    now(store.configure(settings));
    let ended = AtomicU64::new(0);
    thread::scope(|scope| {
        for submitter in 0..SUBMITTERS {
            let (store, listener) = (&store, &listener);
            scope.spawn(move || {
                for number in 0..EACH {
                    submit(store, task(number * SUBMITTERS + submitter));
                    // At times somebody waits.
                    listener.is_waiting.store(number % 512 < 100, Ordering::SeqCst);
                }
            });
        }
        for _ in 0..2 {
            scope.spawn(|| {
                let mut held: Vec<Claimed> = Vec::new();
                while ended.load(Ordering::SeqCst) < EACH * SUBMITTERS {
                    let mut ends = held.iter().map(success);
                    let (answers, claims) = store.finish_and_claim_now(&mut ends, &request(16)).unwrap();
                    assert!(answers.iter().all(|it| *it == Finished::Applied(TaskStatus::Success)));
                    ended.fetch_add(answers.len() as u64, Ordering::SeqCst);
                    held = claims.tasks;
                    if held.is_empty() {
                        thread::yield_now();
                    }
                }
            });
        }
    });
    let records = watch.check(&store);
    assert_eq!(records.len() as u64, SUBMITTERS * EACH);
    assert!(records.iter().all(|it| it.status == TaskStatus::Success && it.attempt == 1));
}
