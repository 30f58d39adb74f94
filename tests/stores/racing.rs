//! Everything that can happen to tasks, in random order, against the model; then at the same time, from many threads.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use ddd_core::{
    MemoryStore, Name, Priority, TaskId, TaskStore, Timestamp,
    domain::{AttemptError, FailureKind, Fence, Label, Until, WorkerId},
    ports::{
        AttemptEnd, ClaimRequest, Control, Declaration, Due, Enqueued, Finish, Heartbeat, Held, KnownTask, NewTask,
        QueueSettings, StoreSettings,
    },
};
use fastrand::Rng;
use parking_lot::Mutex;
use serde_json::value::RawValue;

use crate::{
    clock::TestClock,
    model::{CRASHES_UNTIL_ALONE, CRASHES_UNTIL_FAILED, LEASE, Model, Queue},
    watch::{Watch, now},
};

const CASES: u64 = 500;
const STEPS: usize = 120;
const NAME: Name = Name::new("task");
const QUEUES: [Name; 2] = [Name::new("bounded"), Name::new("narrow")];
const MAX_DEPTH: usize = 6;
const CONCURRENCY: usize = 2;

fn worker() -> WorkerId {
    uuid::Uuid::from_u128(1).into()
}

fn task_id(number: u64) -> TaskId {
    TaskId::from_parts(Timestamp::from_micros(1_700_000_000_000_000), (number >> 32) as u16, number << 20)
}

fn random_delay(rng: &mut Rng) -> Duration {
    Duration::from_secs([0, 1, 10, 60, 7_200][rng.usize(..5)])
}

fn random_due(rng: &mut Rng, at: Timestamp) -> Due {
    match rng.u8(..4) {
        0 => Due::In(random_delay(rng)),
        1 => Due::At(at.before(random_delay(rng))),
        _ => Due::Now,
    }
}

fn random_task(rng: &mut Rng, number: u64, at: Timestamp) -> NewTask {
    let params: Arc<RawValue> = RawValue::from_string("{}".to_owned()).unwrap().into();
    let mut task = NewTask::new(task_id(number), NAME, QUEUES[rng.usize(..2)].clone(), params);
    task.priority = Priority::clamped([-10, -1, 0, 0, 0, 1, 10][rng.usize(..7)]);
    task.due = random_due(rng, at);
    let mut label = Label::default();
    if rng.bool() {
        let key = rng.u32(..3);
        label.concurrency_key = Some(format!("task:{key}"));
        label.concurrency_limit = key + 1;
    }
    if rng.u8(..3) == 0 {
        label.unique_key = Some(format!("task:{}", rng.u8(..4)));
        task.unique_until = Some(if rng.bool() { Until::Finished } else { Until::Elapsed(random_delay(rng)) });
    }
    task.label = Some(Box::new(label));
    task
}

fn random_end(rng: &mut Rng) -> AttemptEnd {
    let error = |kind| AttemptError::new(kind, "broken".to_owned());
    match rng.u8(..12) {
        0..3 => AttemptEnd::Success { result: None, ttl: LEASE },
        3 => AttemptEnd::Failed(error(FailureKind::Error)),
        4 | 5 => AttemptEnd::Retry { error: error(FailureKind::Error), delay: random_delay(rng) },
        6 => AttemptEnd::Timeout { error: error(FailureKind::Timeout), still_running: rng.bool() },
        7 => AttemptEnd::Overdue(error(FailureKind::Timeout)),
        8 => AttemptEnd::Cancelled(error(FailureKind::Cancelled)),
        9 => AttemptEnd::Snooze { delay: random_delay(rng) },
        10 => AttemptEnd::Release,
        _ => AttemptEnd::Stopped,
    }
}

fn new_store(clock: &Arc<TestClock>) -> MemoryStore {
    let store = MemoryStore::with_clock(clock.clone());
    let mut settings = StoreSettings::default();
    settings.history_ttl = Duration::MAX;
    settings.failed_ttl = Duration::MAX;
    settings.crashes_until_alone = CRASHES_UNTIL_ALONE;
    settings.crashes_until_failed = CRASHES_UNTIL_FAILED;
    let [bounded, narrow] = QUEUES;
    settings.queues = vec![
        (bounded, QueueSettings::new().max_depth(MAX_DEPTH)),
        (narrow, QueueSettings::new().concurrency(CONCURRENCY)),
    ];
    now(store.configure(settings));
    let known = vec![KnownTask { name: NAME, version: 1 }];
    now(store.declare(Declaration::new(worker(), String::new(), QUEUES.to_vec(), known, 4, Duration::MAX)));
    store
}

fn request(max: usize, idle: bool) -> ClaimRequest {
    let [bounded, narrow] = QUEUES;
    ClaimRequest::new(worker(), [(bounded, max), (narrow, max)].into(), max, LEASE, idle)
}

/// A store, the model of it, and the claims that were ever handed out.
struct Race {
    rng: Rng,
    clock: Arc<TestClock>,
    store: MemoryStore,
    model: Model,
    claims: Vec<(TaskId, Fence)>,
    tasks: u64,
}

impl Race {
    fn new(seed: u64) -> Self {
        let clock = Arc::new(TestClock::new());
        let [bounded, narrow] = QUEUES;
        let queues = vec![
            Queue { name: bounded, max_depth: Some(MAX_DEPTH), concurrency: None, paused: false },
            Queue { name: narrow, max_depth: None, concurrency: Some(CONCURRENCY), paused: false },
        ];
        let mut model = Model::default();
        model.queues = queues;
        Self { rng: Rng::with_seed(seed), store: new_store(&clock), clock, model, claims: Vec::new(), tasks: 0 }
    }

    fn some_id(&mut self) -> TaskId {
        task_id(self.rng.u64(..=self.tasks))
    }

    fn step(&mut self) {
        use ddd_core::Clock as _;
        self.model.now = self.clock.now();
        match self.rng.u8(..100) {
            0..25 => self.submit(),
            25..45 => self.claim(),
            45..65 => self.finish(),
            65..70 => {
                let id = self.some_id();
                let command = Control::Cancel { ids: vec![id], reason: "not wanted".to_owned() };
                assert_eq!(now(self.store.control(command)), [self.model.cancel(id)]);
            }
            70..76 => {
                let id = self.some_id();
                assert_eq!(now(self.store.control(Control::Retry { ids: vec![id] })), [self.model.retry(id)]);
            }
            76..82 => {
                let id = self.some_id();
                let priority = self.rng.bool().then(|| Priority::clamped(self.rng.i8(-10..=10)));
                let due = self.rng.bool().then(|| random_due(&mut self.rng, self.model.now));
                let command = Control::Reprioritise { ids: vec![id], priority, due };
                assert_eq!(now(self.store.control(command)), [self.model.reprioritise(id, priority, due)]);
            }
            82..86 => {
                self.model.reap();
                assert!(!now(self.store.reap(1_000)).more);
            }
            86..90 => {
                let held = self.claims.iter().copied().filter(|_| self.rng.bool()).collect::<Vec<_>>();
                self.model.heartbeat(&held);
                let held = held.into_iter().map(|(id, fence)| Held { id, fence }).collect();
                now(self.store.heartbeat(Heartbeat::new(worker(), held, LEASE)));
            }
            90..92 => {
                let queue = self.rng.usize(..2);
                let paused = !self.model.queues[queue].paused;
                self.model.queues[queue].paused = paused;
                let queue = QUEUES[queue].clone();
                now(self.store.control(if paused { Control::Pause { queue } } else { Control::Resume { queue } }));
            }
            _ => self.clock.advance(random_delay(&mut self.rng) + Duration::from_micros(self.rng.u64(..3))),
        }
    }

    fn submit(&mut self) {
        let tasks = (0..self.rng.u8(1..4)).map(|_| {
            let is_new = self.rng.u8(..10) > 0;
            self.tasks += u64::from(is_new);
            random_task(&mut self.rng, self.tasks, self.model.now)
        });
        let tasks = tasks.collect::<Vec<_>>();
        let expected = tasks.iter().map(|it| self.model.enqueue(it)).collect::<Vec<_>>();
        let answers = now(self.store.enqueue(tasks));
        assert_eq!(answers.len(), expected.len());
        for (answer, expected) in answers.into_iter().zip(expected) {
            match answer {
                Enqueued::Full { retry_after } => assert!(expected.is_none() && !retry_after.is_zero()),
                answer => assert_eq!(Some(answer), expected),
            }
        }
    }

    fn claim(&mut self) {
        let (max, idle) = (self.rng.usize(..6), self.rng.bool());
        let claims = now(self.store.claim(request(max, idle)));
        let claimed = claims.tasks.iter().map(|it| (it.id, it.fence)).collect::<Vec<_>>();
        assert_eq!((claimed.clone(), claims.alone, claims.alone_waiting), self.model.claim(max, idle));
        self.claims.extend(claimed);
    }

    fn finish(&mut self) {
        let mut finishes = Vec::new();
        let mut expected = Vec::new();
        for _ in 0..self.rng.u8(1..4) {
            // Mostly the newest claims, so that many are still held.
            let newest = self.claims.len().saturating_sub(self.rng.usize(1..=8));
            let Some((id, fence)) = self.claims.get(newest).copied() else { return };
            let end = random_end(&mut self.rng);
            expected.push(self.model.finish(id, fence, &end));
            finishes.push(Finish::new(id, fence, end));
        }
        assert_eq!(now(self.store.finish(finishes)), expected);
    }

    /// All that the model knows of each task is in its record.
    fn compare(&self, watch: &Watch) {
        let mut records = watch.check(&self.store);
        records.sort_by_key(|it| self.model.index(it.id));
        assert_eq!(records.len(), self.model.tasks.len());
        for (record, task) in records.iter().zip(&self.model.tasks) {
            assert_eq!(
                (record.id, record.status, record.run, record.attempt, record.crashes, record.fence),
                (task.id, task.status, task.run, task.attempt, task.crashes, task.fence)
            );
            assert_eq!((record.due, record.priority), (task.due, task.priority));
            assert_eq!((record.cancel_requested, record.still_running), (task.cancelled, task.still_running));
        }
    }
}

/// Prints the seed if the test fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}: set DDD_SEED to run this case alone", self.0);
        }
    }
}

fn seeds(cases: u64) -> Vec<u64> {
    match std::env::var("DDD_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => {
            let first = fastrand::u64(..1 << 40);
            println!("seeds from {first}");
            (first..first + cases).collect()
        }
    }
}

#[test]
fn the_store_agrees_with_the_model_in_every_order_of_events() {
    for seed in seeds(CASES) {
        let _seed = Seed(seed);
        let mut race = Race::new(seed);
        let watch = Watch::attached(&race.store);
        for _ in 0..STEPS {
            race.step();
            race.compare(&watch);
        }
    }
}

const THREADS: u64 = 4;
const STEPS_OF_A_THREAD: usize = 400;

fn race_thread(store: &MemoryStore, clock: &TestClock, claims: &Mutex<Vec<(TaskId, Fence)>>, seed: u64, thread: u64) {
    use ddd_core::Clock as _;
    let mut rng = Rng::with_seed(seed.wrapping_mul(THREADS) + thread);
    let mut created = 0;
    let some_id = |rng: &mut Rng, created| task_id((rng.u64(..THREADS) << 32) + rng.u64(..=created));
    for _ in 0..STEPS_OF_A_THREAD {
        let ids = vec![some_id(&mut rng, created)];
        match rng.u8(..20) {
            0..5 => {
                created += 1;
                now(store.enqueue(vec![random_task(&mut rng, (thread << 32) + created, clock.now())]));
            }
            5..9 => {
                let claimed = now(store.claim(request(rng.usize(1..4), rng.bool()))).tasks;
                claims.lock().extend(claimed.iter().map(|it| (it.id, it.fence)));
            }
            9..14 => {
                let picked = {
                    let claims = claims.lock();
                    let newest = claims.len().saturating_sub(rng.usize(1..=16));
                    claims.get(newest).copied()
                };
                if let Some((id, fence)) = picked {
                    now(store.finish(vec![Finish::new(id, fence, random_end(&mut rng))]));
                }
            }
            14 => drop(now(store.control(Control::Cancel { ids, reason: String::new() }))),
            15 => drop(now(store.control(Control::Retry { ids }))),
            16 => {
                let priority = Some(Priority::clamped(rng.i8(-10..=10)));
                let due = Some(random_due(&mut rng, clock.now()));
                now(store.control(Control::Reprioritise { ids, priority, due }));
            }
            17 => drop(now(store.reap(3))),
            18 => clock.advance(random_delay(&mut rng) / 4),
            _ => {
                let queue = now(store.queues()).into_iter().find(|it| it.name == QUEUES[1]).unwrap();
                assert!(queue.counts.get(ddd_core::TaskStatus::Running) <= CONCURRENCY as u64);
            }
        }
    }
}

/// Ends everything that is left: what is accepted is executed, whatever happened to it before.
fn drain(store: &MemoryStore, clock: &TestClock) {
    for _ in 0..100_000 {
        let claimed = now(store.claim(request(100, true))).tasks;
        if claimed.is_empty() {
            // Time for what waits, and for what was claimed and never ended.
            clock.advance(Duration::from_secs(7_200));
            now(store.reap(1_000));
            let statistics = now(store.statistics());
            if statistics.now.queued() == 0 && statistics.now.get(ddd_core::TaskStatus::Running) == 0 {
                return;
            }
        }
        let success = |id, fence| Finish::new(id, fence, AttemptEnd::Success { result: None, ttl: LEASE });
        now(store.finish(claimed.iter().map(|it| success(it.id, it.fence)).collect()));
    }
    panic!("something is never handed out");
}

#[test]
fn threads_that_race_leave_one_end_for_each_run() {
    for seed in seeds(50) {
        let _seed = Seed(seed);
        let clock = Arc::new(TestClock::new());
        let store = new_store(&clock);
        let watch = Watch::attached(&store);
        let claims = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (store, clock, claims) = (&store, &clock, &claims);
                scope.spawn(move || race_thread(store, clock, claims, seed, thread));
            }
        });
        watch.check(&store);
        let claims = claims.into_inner();
        assert_eq!(claims.iter().collect::<BTreeSet<_>>().len(), claims.len(), "no claim is handed out twice");
        drain(&store, &clock);
        let records = watch.check(&store);
        assert!(records.iter().all(|it| it.status.is_terminal()));
    }
}
