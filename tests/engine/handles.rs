//! Handles: results across applications, inline runs, and nothing left behind.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ddd_core::{App, ExecuteError, MemoryStore, ResultError, Task, TaskContext, TaskStatus, TaskStore, task};

use crate::support::{Gate, real_app, soon, virtual_app};

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Report {
    words: BTreeMap<String, u32>,
    note: Option<String>,
}

#[task]
async fn count(text: String) -> Result<Report, String> {
    if text.is_empty() {
        return Err("there is no text".to_owned());
    }
    let mut words = BTreeMap::new();
    for word in text.split_whitespace() {
        *words.entry(word.to_owned()).or_default() += 1;
    }
    Ok(Report { words, note: None })
}

fn of(text: &str) -> count {
    count { text: text.to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_result_is_what_the_function_yields() {
    let app = virtual_app(&[count::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    let report = app.submit(of("a b a")).await.unwrap().result().await.unwrap();
    assert_eq!(report, Report { words: BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 1)]), note: None });
    let Err(ResultError::Failed(error)) = app.submit(of("")).await.unwrap().result().await else { panic!("it fails") };
    assert_eq!((error.message.as_str(), error.run, error.attempt), ("there is no text", 1, 1));
    let id = app.submit(of("a")).await.unwrap().id();
    let wrong = app.tasks().handle::<Vec<u8>>(id).result().await;
    assert!(matches!(wrong, Err(ResultError::Undecodable(_))), "{wrong:?}");
    let unknown = ddd_core::TaskId::from_parts(ddd_core::Timestamp::from_micros(1), 1, 1);
    assert!(matches!(app.tasks().handle::<Report>(unknown).result().await, Err(ResultError::Expired)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_reaches_the_submitter_in_another_application() {
    let store: Arc<dyn TaskStore> = Arc::new(MemoryStore::new());
    let build = || real_app(&[count::definition()]).shared_store(store.clone());
    let front = build().submit_only().build().await.unwrap();
    let back = build().build().await.unwrap();
    let early = front.submit(of("x y")).await.unwrap();
    back.start_workers().await.unwrap();
    assert_eq!(soon(early.result()).await.unwrap().words.len(), 2);
    let failed = front.submit(of("")).await.unwrap();
    assert!(matches!(soon(failed.result()).await, Err(ResultError::Failed(_))));
    assert_eq!(front.running(), 0);
}

#[derive(Clone)]
struct Tracked(Arc<AtomicUsize>);

impl Drop for Tracked {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[task]
async fn sleeps(#[inject] _it: &Tracked) {
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_handle_changes_nothing_and_an_application_goes_with_its_last_clone() {
    let alive = Arc::new(AtomicUsize::new(1));
    let app = virtual_app(&[sleeps::definition()]).provide(Tracked(alive.clone())).build().await.unwrap();
    app.start_workers().await.unwrap();
    for _ in 0..100 {
        drop(app.submit(sleeps {}).await.unwrap());
    }
    let kept = app.submit(sleeps {}).await.unwrap();
    app.tasks().wait_idle().await.unwrap();
    assert_eq!(app.tasks().statistics().await.unwrap().now.get(TaskStatus::Success), 101);
    ddd_core::testing::shutdown(&app).await;
    drop(app);
    // Whatever ran for it in the background ends by itself.
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(alive.load(Ordering::SeqCst), 1, "a handle keeps what it needs");
    kept.result().await.unwrap();
    drop(kept);
    assert_eq!(alive.load(Ordering::SeqCst), 0, "something of the application is left");
}

#[tokio::test(start_paused = true)]
async fn several_may_wait_for_one_task() {
    let app =
        virtual_app(&[sleeps::definition()]).provide(Tracked(Arc::new(AtomicUsize::new(9)))).build().await.unwrap();
    app.start_workers().await.unwrap();
    let handle = Arc::new(app.submit(sleeps {}).await.unwrap());
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..5 {
        let handle = handle.clone();
        waiting.spawn(async move { handle.result().await.is_ok() });
        let other = app.tasks().handle::<()>(handle_id(&app).await);
        waiting.spawn(async move { other.result().await.is_ok() });
    }
    assert_eq!(waiting.join_all().await, [true; 10]);
}

async fn handle_id(app: &App) -> ddd_core::TaskId {
    app.tasks().list(ddd_core::Filter::all(), None, 1).await.unwrap().items[0].id
}

#[task(timeout = "2s")]
async fn inline(seconds: u64, #[inject] factor: &u64, #[inject] context: TaskContext) -> Result<u64, String> {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    if seconds == 0 { Err("no time".to_owned()) } else { Ok(factor * seconds + u64::from(context.attempt())) }
}

#[task]
fn inline_blocking(#[inject] gate: Gate) -> Result<bool, String> {
    Ok(gate.is_open())
}

#[tokio::test(start_paused = true)]
async fn a_task_runs_inline_without_a_worker_or_a_record() {
    let app = virtual_app(&[inline::definition(), inline_blocking::definition()])
        .provide(100_u64)
        .provide(Gate::default())
        .build()
        .await
        .unwrap();
    assert_eq!(app.execute(inline { seconds: 1 }).await.unwrap(), 101);
    assert!(!app.execute(inline_blocking {}).await.unwrap());
    let failed = app.execute(inline { seconds: 0 }).await;
    assert!(matches!(failed, Err(ExecuteError::Failed(failure)) if failure.message == "no time"));
    assert!(matches!(app.execute(inline { seconds: 3 }).await, Err(ExecuteError::TimedOut)));
    let foreign = app.execute(of("not registered here")).await;
    assert!(matches!(foreign, Err(ExecuteError::Refused(_))), "{foreign:?}");
    assert_eq!(app.tasks().statistics().await.unwrap().submitted, 0);
}
