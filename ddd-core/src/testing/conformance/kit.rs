use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::under_test::StoreUnderTest;
use crate::{
    domain::{
        AttemptError, FailureKind, Label, Name, Priority, TaskId, TaskRecord, TaskStatus, Timestamp, Transition,
        WorkerId,
    },
    ports::{
        AttemptEnd, ClaimRequest, Claimed, Claims, Control, Controlled, Declaration, Due, Enqueued, Finish, Finished,
        Heartbeat, Held, KnownTask, NewTask, QueueSettings, Reaped, Signal, SignalSink, StoreSettings, TaskStore,
    },
};

pub(super) const LEASE: Duration = Duration::from_secs(15);
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3_600);
pub(super) const NAME: Name = Name::new("known");
pub(super) const QUEUE: Name = Name::new("default");
pub(super) const OTHER_QUEUE: Name = Name::new("other");
/// Some instant to count made-up ticks from.
const EPOCH: i64 = 1_700_000_000_000_000;

/// Notes what a store tells.
#[derive(Default)]
pub(super) struct Recorder {
    transitions: Mutex<Vec<Transition>>,
    signals: Mutex<Vec<Signal>>,
}

impl Recorder {
    /// How many transitions it noted.
    pub(super) fn count(&self) -> usize {
        self.transitions.lock().len()
    }
}

impl SignalSink for Recorder {
    fn record(&self, transition: &Transition) -> bool {
        self.transitions.lock().push(transition.clone());
        true
    }

    fn signal(&self, signal: Signal) {
        self.signals.lock().push(signal);
    }
}

/// A store, a worker that knows [`NAME`] in version 1, and words to write cases in.
pub(super) struct Kit {
    pub(super) store: Arc<dyn TaskStore>,
    advance: Arc<dyn Fn(Duration) + Send + Sync>,
    recorder: Arc<Recorder>,
    pub(super) worker: WorkerId,
    ids: AtomicU64,
    /// When the first id was made, as an application makes its own: a store may know from it that an id is new.
    made_at: i64,
}

pub(super) fn worker(number: u128) -> WorkerId {
    Uuid::from_u128(number).into()
}

pub(super) fn declaration(worker: WorkerId, known: &[(Name, u32)]) -> Declaration {
    let known = known.iter().map(|(name, version)| KnownTask { name: name.clone(), version: *version }).collect();
    Declaration::new(worker, "host:1".to_owned(), vec![QUEUE, OTHER_QUEUE], known, 4, LEASE)
}

pub(super) fn tick(number: i64) -> Timestamp {
    Timestamp::from_micros(EPOCH + number * 1_000_000)
}

pub(super) fn json(text: &str) -> Arc<RawValue> {
    RawValue::from_string(text.to_owned()).expect("JSON").into()
}

pub(super) fn error(kind: FailureKind, message: &str) -> AttemptError {
    AttemptError::new(kind, message.to_owned())
}

pub(super) fn failed() -> AttemptEnd {
    AttemptEnd::Failed(error(FailureKind::Error, "broken"))
}

pub(super) fn retry_after(delay: Duration) -> AttemptEnd {
    AttemptEnd::Retry { error: error(FailureKind::Error, "broken"), delay }
}

pub(super) fn timeout(still_running: bool) -> AttemptEnd {
    AttemptEnd::Timeout { error: error(FailureKind::Timeout, "too slow"), still_running }
}

pub(super) const fn success() -> AttemptEnd {
    AttemptEnd::Success { result: None, ttl: HOUR }
}

/// `task` with something changed.
pub(super) trait With: Sized {
    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

impl With for NewTask {}

impl Kit {
    /// The store, with a worker that lives as long as its lease.
    pub(super) async fn new(under_test: StoreUnderTest) -> Self {
        let kit = Self::without_worker(under_test);
        kit.store.declare(declaration(kit.worker, &[(NAME, 1)])).await.unwrap();
        kit
    }

    pub(super) fn without_worker(under_test: StoreUnderTest) -> Self {
        let StoreUnderTest { store, advance } = under_test;
        let recorder = Arc::new(Recorder::default());
        let weak = Arc::downgrade(&recorder);
        store.attach(weak as Weak<dyn SignalSink>);
        let since = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |it| it.as_micros());
        let made_at = i64::try_from(since).unwrap_or_default();
        Self { store, advance, recorder, worker: worker(1), ids: AtomicU64::new(0), made_at }
    }

    /// Lets time pass. The worker gives a sign of life after it, and lets go of nothing and keeps nothing.
    pub(super) async fn advance(&self, duration: Duration) {
        self.advance_in_silence(duration);
        self.heartbeat(&[]).await;
    }

    /// Lets time pass without a sign of life.
    pub(super) fn advance_in_silence(&self, duration: Duration) {
        (self.advance)(duration);
    }

    /// A task that is due now. Ids ascend.
    pub(super) fn task(&self) -> NewTask {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        let at = Timestamp::from_micros(self.made_at + i64::try_from(number).unwrap() * 1_000);
        NewTask::new(TaskId::from_parts(at, 0, number), NAME, QUEUE, json("{}"))
    }

    pub(super) fn task_of_priority(&self, level: i8) -> NewTask {
        self.task().with(|it| it.priority = Priority::clamped(level))
    }

    pub(super) fn task_in(&self, delay: Duration) -> NewTask {
        self.task().with(|it| it.due = Due::In(delay))
    }

    pub(super) fn task_of_key(&self, key: &str, limit: u32) -> NewTask {
        let key = Some(format!("known:{key}"));
        let label = Label { concurrency_key: key, concurrency_limit: limit, ..Label::default() };
        self.task().with(|it| it.label = Some(Box::new(label)))
    }

    pub(super) async fn enqueue(&self, task: NewTask) -> Enqueued {
        let mut answers = self.store.enqueue(vec![task]).await.unwrap();
        assert_eq!(answers.len(), 1, "one answer for one task");
        answers.remove(0)
    }

    /// Stores a task that nothing stands against.
    pub(super) async fn submit(&self, task: NewTask) -> TaskId {
        let id = task.id;
        let answer = self.enqueue(task).await;
        assert!(matches!(answer, Enqueued::Created(_)), "{answer:?}");
        id
    }

    pub(super) fn request(&self, max: usize) -> ClaimRequest {
        ClaimRequest::new(self.worker, [(QUEUE, max), (OTHER_QUEUE, max)].into(), max, LEASE, true)
    }

    pub(super) async fn claims(&self, max: usize) -> Claims {
        self.store.claim(self.request(max)).await.unwrap()
    }

    pub(super) async fn claim(&self, max: usize) -> Vec<Claimed> {
        self.claims(max).await.tasks
    }

    /// Takes the next task, which must be there.
    pub(super) async fn claim_one(&self) -> Claimed {
        let mut tasks = self.claim(1).await;
        assert_eq!(tasks.len(), 1, "a task is ready");
        tasks.remove(0)
    }

    pub(super) async fn claim_ids(&self, max: usize) -> Vec<TaskId> {
        self.claim(max).await.iter().map(|it| it.id).collect()
    }

    /// Takes the next tasks of one queue.
    pub(super) async fn claim_ids_of(&self, queue: Name, max: usize) -> Vec<TaskId> {
        let request = ClaimRequest::new(self.worker, [(queue, max)].into(), max, LEASE, true);
        self.store.claim(request).await.unwrap().tasks.iter().map(|it| it.id).collect()
    }

    pub(super) async fn finish(&self, claimed: &Claimed, end: AttemptEnd) -> Finished {
        let mut answers = self.store.finish(vec![Finish::new(claimed.id, claimed.fence, end)]).await.unwrap();
        assert_eq!(answers.len(), 1, "one answer for one end");
        answers.remove(0)
    }

    /// Ends an attempt that is still held.
    pub(super) async fn end(&self, claimed: &Claimed, end: AttemptEnd, status: TaskStatus) {
        assert_eq!(self.finish(claimed, end).await, Finished::Applied(status));
        assert_eq!(self.status(claimed.id).await, status);
    }

    pub(super) async fn find(&self, id: TaskId) -> Option<TaskRecord> {
        let mut records = self.store.get(vec![id]).await.unwrap();
        assert_eq!(records.len(), 1, "one answer for one id");
        records.remove(0)
    }

    pub(super) async fn get(&self, id: TaskId) -> TaskRecord {
        self.find(id).await.expect("the task is there")
    }

    pub(super) async fn status(&self, id: TaskId) -> TaskStatus {
        self.get(id).await.status
    }

    pub(super) async fn control(&self, command: Control) -> Controlled {
        let mut answers = self.store.control(command).await.unwrap();
        assert_eq!(answers.len(), 1, "one answer for one id");
        answers.remove(0)
    }

    pub(super) async fn cancel(&self, id: TaskId) -> Controlled {
        self.control(Control::Cancel { ids: vec![id], reason: "not wanted".to_owned() }).await
    }

    pub(super) async fn retry(&self, id: TaskId) -> Controlled {
        self.control(Control::Retry { ids: vec![id] }).await
    }

    /// Upkeep, until nothing is left to do.
    pub(super) async fn reap(&self) -> Reaped {
        let mut all = self.store.reap(100).await.unwrap();
        while all.more {
            let next = self.store.reap(100).await.unwrap();
            all.ended.extend(next.ended);
            all.recovered += next.recovered;
            all.pruned += next.pruned;
            all.more = next.more;
        }
        all
    }

    pub(super) async fn heartbeat(&self, held: &[&Claimed]) -> Vec<Signal> {
        let held = held.iter().map(|it| Held { id: it.id, fence: it.fence }).collect();
        self.store.heartbeat(Heartbeat::new(self.worker, held, LEASE)).await.unwrap()
    }

    /// Lets all leases run out without a sign of life, and does upkeep; then the worker is back.
    pub(super) async fn lose_leases(&self) -> Reaped {
        self.advance_in_silence(LEASE + SECOND);
        let reaped = self.reap().await;
        self.heartbeat(&[]).await;
        reaped
    }

    pub(super) async fn configure(&self, change: impl FnOnce(&mut StoreSettings)) {
        let mut settings = StoreSettings::default();
        change(&mut settings);
        self.store.configure(settings).await.unwrap();
    }

    pub(super) async fn configure_queue(&self, settings: QueueSettings) {
        self.configure(|it| it.queues.push((QUEUE, settings))).await;
    }

    /// What was recorded about a task: where from, where to.
    pub(super) fn transitions(&self, id: TaskId) -> Vec<(Option<TaskStatus>, TaskStatus)> {
        let transitions = self.recorder.transitions.lock();
        transitions.iter().filter(|it| it.id == id).map(|it| (it.from, it.to)).collect()
    }

    pub(super) fn recorded(&self) -> Vec<Transition> {
        self.recorder.transitions.lock().clone()
    }

    /// The signals since the last look.
    pub(super) fn signals(&self) -> Vec<Signal> {
        std::mem::take(&mut self.recorder.signals.lock())
    }
}
