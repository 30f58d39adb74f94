//! A run of tasks through which the server crashes and connections are cut, again and again.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use ddd_benches::PostgresServer;
use ddd_core::{App, Filter, PostgresStore, Settings, Task, TaskId, TaskStatus, TaskStore, task};
use sqlx::PgPool;

use super::proxy::Proxy;

/// So soon after trouble bodies start again, and submissions are acknowledged.
const SOON: Duration = Duration::from_secs(5);
const CONNECTIONS: u32 = 4;

static RAN: Mutex<BTreeMap<u32, u32>> = Mutex::new(BTreeMap::new());
static STARTED: AtomicUsize = AtomicUsize::new(0);

#[task("postgres_trouble")]
async fn note(number: u32) {
    STARTED.fetch_add(1, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(1)).await;
    *RAN.lock().unwrap().entry(number).or_default() += 1;
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.slots = 16;
    settings.lease = Duration::from_secs(3);
    settings.heartbeat = Duration::from_millis(500);
    settings.store_timeout = Duration::from_secs(5);
    settings.poll_interval = Duration::from_millis(200);
    settings
}

/// Submits the numbers, each until it is acknowledged and under a key of its own: a number is one task, whatever became of the
/// answers.
async fn submit(app: App, numbers: Vec<u32>, gate: Arc<AtomicUsize>, all: Arc<AtomicUsize>) -> Vec<(u32, TaskId)> {
    let mut acknowledged = Vec::new();
    for number in numbers {
        // Not far ahead of the bodies, so that submissions go on through all of the trouble.
        while all.load(Ordering::SeqCst) > gate.load(Ordering::SeqCst) + 50 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        loop {
            match app.submit(note { number }).idempotency_key(format!("number {number}")).await {
                Ok(answer) => break acknowledged.push((number, answer.id())),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
        all.fetch_add(1, Ordering::SeqCst);
    }
    acknowledged
}

/// How long until another body has started and another submission was acknowledged, if any are left.
async fn resumed(submitted: &AtomicUsize, tasks: usize) -> Duration {
    let (began, bodies, answers) = (Instant::now(), STARTED.load(Ordering::SeqCst), submitted.load(Ordering::SeqCst));
    let goes_on = |it: &AtomicUsize, before: usize| it.load(Ordering::SeqCst) > before.min(tasks - 1);
    while !goes_on(&STARTED, bodies) || !goes_on(submitted, answers) {
        assert!(began.elapsed() < Duration::from_secs(60), "nothing goes on any more");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    began.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn crashes_and_cuts_lose_nothing() {
    let is_nightly = std::env::var_os("DDD_NIGHTLY").is_some();
    let (tasks, cuts, crashes) = if is_nightly { (5_000_u32, 100_u32, 8_u32) } else { (600, 12, 2) };
    let server = PostgresServer::start(true).unwrap_or_else(|it| panic!("{it}"));
    let proxy = Proxy::to(server.url()).await;
    let store = async || PostgresStore::options().connections(CONNECTIONS).connect(&proxy.url()).await.unwrap();
    let (near, far) = (store().await, store().await);
    let of =
        |it: &PostgresStore| App::builder().settings(settings()).definitions([note::definition()]).store(it.clone());
    let worker = of(&near).build().await.unwrap();
    worker.start_workers().await.unwrap();
    let submitter = of(&far).submit_only().build().await.unwrap();
    let (done, submitted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let submitting = (0..8).map(|part| {
        let numbers = (0..tasks).filter(|it| it % 8 == part).collect();
        tokio::spawn(submit(submitter.clone(), numbers, done.clone(), submitted.clone()))
    });
    let submitting = submitting.collect::<Vec<_>>();
    let counted = done.clone();
    let counting = tokio::spawn(async move {
        loop {
            counted.store(RAN.lock().unwrap().len(), Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let (mut after_cuts, mut after_crashes) = (Vec::new(), Vec::new());
    for number in 0..cuts {
        // Spread over the run, as far as it has come.
        while done.load(Ordering::SeqCst) < (tasks * number / (cuts + 1)) as usize {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        proxy.cut();
        if number % (cuts / crashes) == cuts / crashes - 1 && after_crashes.len() < crashes as usize {
            tokio::task::block_in_place(|| server.crash_and_restart()).unwrap();
            after_crashes.push(resumed(&submitted, tasks as usize).await);
        } else {
            after_cuts.push(resumed(&submitted, tasks as usize).await);
        }
    }
    let mut acknowledged = BTreeMap::new();
    for part in submitting {
        acknowledged.extend(part.await.unwrap());
    }
    let began = Instant::now();
    loop {
        let now = submitter.tasks().statistics().await.unwrap().now;
        if now.queued() + now.get(TaskStatus::Running) == 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "not all has ended: {now:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    counting.abort();
    let stored = all(&submitter).await;
    let lost = acknowledged.values().filter(|it| stored.get(it) != Some(&TaskStatus::Success)).count();
    let invented = stored.keys().filter(|it| !acknowledged.values().any(|id| id == *it)).count();
    let ran = RAN.lock().unwrap().clone();
    let again = ran.values().filter(|it| **it > 1).count();
    after_cuts.sort_unstable();
    after_crashes.sort_unstable();
    println!(
        "{tasks} tasks, {cuts} cuts, {crashes} crashes: {lost} lost, {invented} invented, {again} ran more than once; bodies and \
         submissions went on after a cut in {:?} (median) to {:?}, after a crash in {:?} to {:?}",
        after_cuts[after_cuts.len() / 2],
        after_cuts.last().unwrap(),
        after_crashes[after_crashes.len() / 2],
        after_crashes.last().unwrap()
    );
    assert_eq!((lost, invented, acknowledged.len(), ran.len()), (0, 0, tasks as usize, tasks as usize));
    assert!(after_crashes.iter().chain(&after_cuts).all(|it| *it < SOON), "{after_crashes:?} {after_cuts:?}");
    let workers = submitter.tasks().workers().await.unwrap();
    assert_eq!(workers.len(), 1, "the worker lives: {workers:?}");
    for store in [&near, &far] {
        every_place_is_free(store, server.url()).await;
    }
    nothing_is_left_open(server.url()).await;
    let log = server.log();
    let bad = ["already a transaction in progress", "current transaction is aborted", "no transaction in progress"];
    let found = log.lines().filter(|it| bad.iter().any(|bad| it.contains(bad))).collect::<Vec<_>>();
    assert!(found.is_empty() && log.len() > 1_000, "{found:?}");
    worker.shutdown(Duration::from_secs(5)).await;
}

/// Where all records are.
async fn all(app: &App) -> BTreeMap<TaskId, TaskStatus> {
    let (mut all, mut cursor) = (BTreeMap::new(), None);
    loop {
        let page = app.tasks().list(Filter::all(), cursor, 500).await.unwrap();
        all.extend(page.items.into_iter().map(|it| (it.id, it.status)));
        cursor = page.next;
        if cursor.is_none() {
            return all;
        }
    }
}

/// As many calls as the store has connections stand at the server at once: no place of its pool is lost.
async fn every_place_is_free(store: &PostgresStore, url: &str) {
    let pool = PgPool::connect(url).await.unwrap();
    let mut held = pool.begin().await.unwrap();
    sqlx::raw_sql("LOCK TABLE ddd.history IN ACCESS EXCLUSIVE MODE").execute(&mut *held).await.unwrap();
    let wanted = uuid::Uuid::new_v4();
    let calls = (0..CONNECTIONS).map(|_| tokio::spawn(store.get(vec![wanted.into()])));
    let calls = calls.collect::<Vec<_>>();
    let text = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT id, status%' \
                AND query LIKE '%UNION ALL%'";
    let began = Instant::now();
    loop {
        let waiting: i64 = sqlx::query_scalar(text).fetch_one(&pool).await.unwrap();
        if waiting >= i64::from(CONNECTIONS) {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "only {waiting} of {CONNECTIONS} calls stand at the server");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    held.rollback().await.unwrap();
    for call in calls {
        assert!(call.await.unwrap().unwrap()[0].is_none());
    }
}

/// No connection stands in the middle of a transaction.
async fn nothing_is_left_open(url: &str) {
    let pool = PgPool::connect(url).await.unwrap();
    let began = Instant::now();
    loop {
        let text = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' \
                    AND state_change < now() - interval '1 second'";
        let open: i64 = sqlx::query_scalar(text).fetch_one(&pool).await.unwrap();
        if open == 0 {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{open} transactions stand open");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
