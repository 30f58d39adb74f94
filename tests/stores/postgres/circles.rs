//! Everything at once, on few keys, queues and tasks: whatever waits for whatever, nobody waits in a circle.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ddd_benches::PostgresServer;
use ddd_core::{
    AttemptError, FailureKind, PostgresStore, Priority, QueueSettings, Quota, StoreSettings, TaskId, TaskStore,
    domain::{Label, Progress, Until},
    ports::{
        AttemptEnd, ClaimRequest, Claimed, Control, Declaration, Due, Finish, Heartbeat, Held, KnownTask, NewTask,
        ProgressReport,
    },
};
use sqlx::{PgPool, postgres::PgPoolOptions};

use crate::sqlite::support::{LEASE, NAME, task, worker};

const QUEUES: [&str; 4] = ["free", "limited", "paced", "bounded"];
const TASKS: u64 = 24;

struct Actor {
    store: PostgresStore,
    random: fastrand::Rng,
    number: u128,
    held: Vec<Claimed>,
}

impl Actor {
    /// Few tasks, so that many do something with the same.
    fn ids(&mut self) -> Vec<TaskId> {
        let count = self.random.usize(1..8);
        (0..count).map(|_| self.task().id).collect()
    }

    fn task(&mut self) -> NewTask {
        let number = self.random.u64(0..TASKS);
        let mut task = task(number);
        task.queue = self.random.choice(QUEUES).unwrap().into();
        let mut label = Label::default();
        if number.is_multiple_of(3) {
            (label.concurrency_key, label.concurrency_limit) = (Some(format!("task:{}", number % 2)), 1);
        }
        if number.is_multiple_of(4) {
            label.unique_key = Some(format!("task:{}", number % 5));
            task.unique_until = Some(Until::Finished);
        }
        task.label = Some(Box::new(label)).filter(|_| !number.is_multiple_of(5));
        task.due = if self.random.bool() { Due::Now } else { Due::In(Duration::from_millis(self.random.u64(0..30))) };
        task.priority = Priority::clamped(self.random.i8(-2..3));
        task
    }

    fn settings(&mut self) -> StoreSettings {
        let mut settings = StoreSettings::default();
        let limited = QueueSettings::new().concurrency(self.random.usize(3..9));
        let paced = QueueSettings::new().rate_limit(Quota::new(500, Duration::from_secs(1)).unwrap());
        let bounded = QueueSettings::new().max_depth(50);
        settings.queues = vec![("limited".into(), limited), ("paced".into(), paced), ("bounded".into(), bounded)];
        self.random.shuffle(&mut settings.queues);
        settings
    }

    fn end(&mut self) -> AttemptEnd {
        let error = || AttemptError::new(FailureKind::Error, "no".to_owned());
        match self.random.u8(0..6) {
            0 => AttemptEnd::Failed(error()),
            1 => AttemptEnd::Retry { error: error(), delay: Duration::from_millis(self.random.u64(0..20)) },
            2 => AttemptEnd::Release,
            3 => AttemptEnd::Snooze { delay: Duration::from_millis(5) },
            _ => AttemptEnd::Success { result: None, ttl: LEASE },
        }
    }

    fn known(&mut self) -> Declaration {
        let known = if self.random.u8(0..3) > 0 { vec![KnownTask { name: NAME, version: 1 }] } else { Vec::new() };
        let queues = QUEUES.map(Into::into).to_vec();
        // Two of them are the same worker.
        Declaration::new(worker(self.number / 2), String::new(), queues, known, 4, LEASE)
    }

    async fn act(&mut self) {
        let store = self.store.clone();
        match self.random.u8(0..24) {
            0..5 => {
                let mut ids = Vec::new();
                let mut tasks = (0..self.random.usize(1..6)).map(|_| self.task()).collect::<Vec<_>>();
                tasks.retain(|it| {
                    !ids.contains(&it.id) && {
                        ids.push(it.id);
                        true
                    }
                });
                store.enqueue(tasks).await.unwrap();
            }
            5..10 => {
                let queues = QUEUES.map(|it| (it.into(), 4));
                let request = ClaimRequest::new(worker(self.number / 2), queues.into(), 6, LEASE, self.random.bool());
                self.held.extend(store.claim(request).await.unwrap().tasks);
            }
            10..14 => {
                self.random.shuffle(&mut self.held);
                let count = self.random.usize(0..=self.held.len());
                let ends = self.held.split_off(self.held.len() - count);
                let mut finishes = Vec::new();
                for it in ends {
                    let end = self.end();
                    finishes.push(Finish::new(it.id, it.fence, end));
                }
                store.finish(finishes).await.unwrap();
            }
            14 => {
                let held = self.held.iter().map(|it| Held { id: it.id, fence: it.fence }).collect();
                store.heartbeat(Heartbeat::new(worker(self.number / 2), held, LEASE)).await.unwrap();
            }
            15 => {
                let progress = || Progress::new(0.5, "half".to_owned());
                let reports = self.held.iter().map(|it| ProgressReport::new(it.id, it.fence, progress()));
                store.progress(reports.collect()).await.unwrap();
            }
            16 => drop(store.control(Control::Cancel { ids: self.ids(), reason: "no more".into() }).await.unwrap()),
            17 => drop(store.control(Control::Retry { ids: self.ids() }).await.unwrap()),
            18 => drop(store.control(Control::Delete { ids: self.ids() }).await.unwrap()),
            19 => {
                let (ids, priority) = (self.ids(), Some(Priority::clamped(self.random.i8(-2..3))));
                drop(store.control(Control::Reprioritise { ids, priority, due: None }).await.unwrap());
            }
            20 => {
                let queue = self.random.choice(QUEUES).unwrap();
                store.control(Control::Pause { queue: queue.into() }).await.unwrap();
                store.control(Control::Resume { queue: queue.into() }).await.unwrap();
            }
            21 => {
                let settings = self.settings();
                store.configure(settings).await.unwrap();
            }
            22 if self.random.bool() => {
                let declaration = self.known();
                store.declare(declaration).await.unwrap();
            }
            22 => store.withdraw(worker(self.number / 2)).await.unwrap(),
            _ => drop(store.reap(self.random.usize(1..20)).await.unwrap()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_in_a_circle() {
    const ACTORS: u128 = 12;
    let time = Duration::from_secs(if std::env::var_os("DDD_NIGHTLY").is_some() { 120 } else { 8 });
    let server = PostgresServer::start(false).unwrap_or_else(|it| panic!("{it}"));
    let pool = PgPoolOptions::new().max_connections(1).connect(server.url()).await.unwrap();
    // Circles are found soon, so that there is time for many.
    sqlx::raw_sql("ALTER SYSTEM SET deadlock_timeout = '10ms'").execute(&pool).await.unwrap();
    sqlx::raw_sql("SELECT pg_reload_conf()").execute(&pool).await.unwrap();
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let began = Instant::now();
    let stores = [0, 1].map(|_| PostgresStore::options().connections(6).connect(server.url()));
    let mut connected = Vec::new();
    for store in stores {
        connected.push(Arc::new(store.await.unwrap()));
    }
    let actors = (0..ACTORS).map(|number| {
        let store = PostgresStore::clone(&connected[usize::from(number % 2 == 1)]);
        let random = fastrand::Rng::with_seed(seed ^ u64::try_from(number).unwrap());
        let mut actor = Actor { store, random, number, held: Vec::new() };
        tokio::spawn(async move {
            let declaration = actor.known();
            actor.store.declare(declaration).await.unwrap();
            let mut acts = 0_u64;
            while began.elapsed() < time {
                actor.act().await;
                acts += 1;
            }
            acts
        })
    });
    let mut acts = 0;
    for actor in actors.collect::<Vec<_>>() {
        acts += actor.await.unwrap();
    }
    drop(connected);
    assert_eq!(deadlocks(&pool).await, 0, "of {acts} calls");
    assert!(acts > 500, "{acts} calls were made");
}

/// How many circles the server found: it tells when those who met them have gone.
async fn deadlocks(pool: &PgPool) -> i64 {
    let began = Instant::now();
    let text =
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    while sqlx::query_scalar::<_, i64>(text).fetch_one(pool).await.unwrap() > 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "connections are left");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let text = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    sqlx::query_scalar(text).fetch_one(pool).await.unwrap()
}
