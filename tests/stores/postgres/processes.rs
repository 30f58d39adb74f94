//! Two processes over one server: what one does, the other learns of at once where notifications are on, and by polling where they
//! are lost.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use ddd_core::{
    App, Lagged, PostgresStore, QueueSettings, ResultError, Settings, StoreSettings, TaskStatus, TaskStore,
    Transitions, task,
};
use sqlx::postgres::PgListener;
use tokio::sync::Semaphore;

use super::support::server;

/// Longer than anything that is told of takes, on a busy machine; shorter than what polls here.
const SOON: Duration = Duration::from_secs(12);
const LATE: Duration = Duration::from_secs(60);

static ENDED_AT: Mutex<Option<Instant>> = Mutex::new(None);
static BEGUN: Semaphore = Semaphore::const_new(0);
static GO_ON: Semaphore = Semaphore::const_new(0);

#[task("processes_sleep")]
async fn sleep(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    *ENDED_AT.lock().unwrap() = Some(Instant::now());
}

/// In queues of its own: each test has one.
#[task("processes_forever")]
async fn forever() {
    std::future::pending::<()>().await;
}

#[task("processes_gated", queue = "gated")]
async fn gated() {
    BEGUN.add_permits(1);
    GO_ON.acquire().await.unwrap().forget();
}

/// Nothing is found by looking for it before [`SOON`] is over.
fn told() -> Settings {
    let mut settings = Settings::default();
    (settings.lease, settings.heartbeat, settings.poll_interval) = (3 * LATE, LATE, LATE);
    settings
}

/// All is found by looking for it.
fn looking() -> Settings {
    let mut settings = Settings::default();
    settings.lease = Duration::from_secs(10);
    (settings.heartbeat, settings.poll_interval) = (Duration::from_millis(300), Duration::from_millis(300));
    settings
}

struct Two {
    namespace: String,
    /// Submits and asks.
    here: App,
    /// Works.
    there: App,
    store: PostgresStore,
}

impl Two {
    async fn new(settings: &Settings, listens: bool) -> Self {
        let namespace = server().fresh_namespace();
        let connect = async || {
            let options = PostgresStore::options().namespace(&namespace).connections(2).listen(listens);
            options.connect(server().url()).await.unwrap()
        };
        let (store, other) = (connect().await, connect().await);
        let builder = || App::builder().settings(settings.clone());
        let here = builder().submit_only().store(store.clone()).build().await.unwrap();
        let there = builder().store(other).start().await.unwrap();
        Self { namespace, here, there, store }
    }

    async fn end(self) {
        self.there.shutdown(Duration::from_millis(100)).await;
        self.here.shutdown(Duration::from_millis(100)).await;
    }

    /// Waits until each hears the other.
    async fn hear_each_other(&self, transitions: &mut Transitions) {
        let began = Instant::now();
        loop {
            let id = self.here.submit(sleep { millis: 0 }).await.unwrap().id();
            let heard = async {
                while !transitions.next().await.is_ok_and(|it| it.id == id && it.to == TaskStatus::Success) {}
            };
            if tokio::time::timeout(Duration::from_millis(500), heard).await.is_ok() {
                return;
            }
            assert!(began.elapsed() < 3 * SOON, "the other process is not heard");
        }
    }
}

async fn is_cancelled_soon(two: &Two) {
    let handle = two.here.submit(forever {}).await.unwrap();
    while handle.status().await.unwrap() != Some(TaskStatus::Running) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let began = Instant::now();
    let result = loop {
        // Who has just begun to listen may not have heard the first word.
        handle.cancel().await.unwrap();
        if let Ok(result) = tokio::time::timeout(Duration::from_secs(2), handle.result()).await {
            break result;
        }
        assert!(began.elapsed() < SOON, "the worker did not learn of it");
    };
    assert!(matches!(result, Err(ResultError::Cancelled)), "{result:?}");
}

/// Long before the next sign of life of its worker.
#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_reaches_a_worker_of_another_process_at_once() {
    let two = Two::new(&told(), true).await;
    is_cancelled_soon(&two).await;
    two.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_nobody_hears_comes_with_the_next_sign_of_life() {
    let two = Two::new(&looking(), false).await;
    is_cancelled_soon(&two).await;
    two.end().await;
}

/// The end falls between two looks at the record, which are half a second apart.
#[tokio::test(flavor = "multi_thread")]
async fn a_result_of_another_process_is_there_at_once() {
    let two = Two::new(&told(), true).await;
    let mut took = Vec::new();
    for _ in 0..8 {
        let handle = two.here.submit(sleep { millis: 600 }).await.unwrap();
        handle.result().await.unwrap();
        took.push(ENDED_AT.lock().unwrap().take().unwrap().elapsed());
        if took.last().is_some_and(|it| *it < Duration::from_millis(150)) {
            return two.end().await;
        }
    }
    panic!("results came late: {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_in_one_process_is_done_in_the_other() {
    for (settings, listens) in [(told(), true), (looking(), false)] {
        let two = Two::new(&settings, listens).await;
        let within = |what: &'static str, future: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| async move {
            tokio::time::timeout(SOON, future).await.unwrap_or_else(|_| panic!("{what}, notifications: {listens}"));
        };
        let (here, store) = (two.here.clone(), two.store.clone());
        here.tasks().pause("gated").await.unwrap();
        let first = here.submit(gated {}).await.unwrap();
        // The worker has looked at all its queues since.
        here.submit(sleep { millis: 0 }).await.unwrap().result().await.unwrap();
        assert_eq!(first.status().await.unwrap(), Some(TaskStatus::Pending), "its queue is paused");
        here.tasks().resume("gated").await.unwrap();
        within("resumed", Box::pin(async { BEGUN.acquire().await.unwrap().forget() })).await;
        let mut limits = StoreSettings::default();
        limits.queues.push(("gated".into(), QueueSettings::new().concurrency(1)));
        store.configure(limits.clone()).await.unwrap();
        let second = here.submit(gated {}).await.unwrap();
        here.submit(sleep { millis: 0 }).await.unwrap().result().await.unwrap();
        assert_eq!(second.status().await.unwrap(), Some(TaskStatus::Pending), "one at a time");
        limits.queues[0].1 = QueueSettings::new().concurrency(2);
        store.configure(limits).await.unwrap();
        within("with another limit", Box::pin(async { BEGUN.acquire().await.unwrap().forget() })).await;
        GO_ON.add_permits(2);
        let results = async move {
            first.result().await.unwrap();
            second.result().await.unwrap();
        };
        within("ended", Box::pin(results)).await;
        two.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_transitions_holds_those_of_other_processes() {
    let two = Two::new(&told(), true).await;
    let mut transitions = two.here.tasks().transitions();
    two.hear_each_other(&mut transitions).await;
    while transitions.try_next().unwrap().is_some() {}
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(two.there.submit(sleep { millis: 1 }).await.unwrap().id());
    }
    let mut seen = Vec::new();
    while seen.len() < 60 {
        let next = tokio::time::timeout(SOON, transitions.next()).await;
        let next = next.unwrap_or_else(|_| panic!("{} of 60 came", seen.len())).unwrap();
        if ids.contains(&next.id) {
            assert_eq!((&*next.name, &*next.queue), ("processes_sleep", "default"));
            seen.push((next.id, next.from, next.to));
        }
    }
    let life = [
        (None, TaskStatus::Pending),
        (Some(TaskStatus::Pending), TaskStatus::Running),
        (Some(TaskStatus::Running), TaskStatus::Success),
    ];
    for id in ids {
        let of_one = seen.iter().filter(|it| it.0 == id).map(|it| (it.1, it.2)).collect::<Vec<_>>();
        assert_eq!(of_one, life, "each once, in order: one process made them");
    }
    two.end().await;
}

/// More than goes over is not held up, and is said.
#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_how_much_of_another_process_is_missing() {
    const ALL: u64 = 12_000;
    let two = Two::new(&told(), true).await;
    let mut transitions = two.here.tasks().transitions();
    two.hear_each_other(&mut transitions).await;
    while transitions.try_next().unwrap().is_some() {}
    let before = two.here.tasks().statistics().await.unwrap().submitted;
    let tasks = (0..ALL).map(|_| forever {}).collect::<Vec<_>>();
    two.here.tasks().pause("default").await.unwrap();
    let submitted = two.there.submit_many(tasks);
    for it in submitted.await.unwrap() {
        it.unwrap();
    }
    assert_eq!(two.here.tasks().statistics().await.unwrap().submitted - before, ALL);
    let (mut came, mut missed) = (0, 0);
    while came + missed < ALL {
        match tokio::time::timeout(SOON, transitions.next()).await {
            Ok(Ok(it)) => came += u64::from(&*it.name == "processes_forever" && it.from.is_none()),
            Ok(Err(Lagged { missed: count, .. })) => missed += count,
            Err(_) => panic!("{came} came and {missed} are said to be missing, of {ALL}"),
        }
    }
    println!("{came} came, {missed} were missing");
    assert!(came > 0 && came + missed == ALL);
    two.end().await;
}

/// Who wants to hear of nothing costs the others nothing.
#[tokio::test(flavor = "multi_thread")]
async fn transitions_are_not_sent_as_long_as_nobody_subscribes() {
    let two = Two::new(&told(), true).await;
    let mut listener = PgListener::connect(server().url()).await.unwrap();
    let text = format!("SELECT value FROM {}.setting WHERE name = 'channel'", two.namespace);
    let token: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(text)).fetch_one(&mut listener).await.unwrap();
    listener.listen(&format!("ddd_{token:016x}")).await.unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let all = heard.clone();
    let hearing = tokio::spawn(async move {
        loop {
            let notice = listener.recv().await.unwrap();
            all.lock().unwrap().push(notice.payload().to_owned());
        }
    });
    let says = |word: char| heard.lock().unwrap().iter().any(|it| it.lines().skip(1).any(|it| it.starts_with(word)));
    let mut handles = Vec::new();
    for _ in 0..20 {
        handles.push(two.here.submit(sleep { millis: 0 }).await.unwrap());
    }
    for handle in &handles {
        while !handle.status().await.unwrap().is_some_and(TaskStatus::is_terminal) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert!(!says('~') && !says('.'), "{:?}", heard.lock().unwrap());
    let mut transitions = two.here.tasks().transitions();
    two.hear_each_other(&mut transitions).await;
    assert!(says('~'), "this test can hear them");
    hearing.abort();
    two.end().await;
}
