//! Panics stay where they happen: a worker has its slots and its tasks afterwards as before.

use std::{
    panic::panic_any,
    sync::{
        Arc, Once,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ddd_core::{
    App, Factory, Filter, Settings, ShutdownReport, Task, TaskContext, TaskId, TaskStatus, Timestamp, domain::Name,
    ports::NewTask, task,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use tokio::sync::Barrier;

use crate::support::{Gauge, real_app, soon};

/// What panics here says so, or is a [`Bomb`]: such panics are not printed.
const BOOM: &str = "boom";

/// Panics when it is dropped.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Bomb {}

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "{BOOM}");
    }
}

/// Panics when it is written.
#[derive(Debug, Deserialize, JsonSchema)]
struct Unwritable {}

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("{BOOM}")
    }
}

/// Panics when it is shown.
#[derive(Debug)]
struct Unspeakable;

impl std::fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("{BOOM}")
    }
}

impl std::error::Error for Unspeakable {}

/// A payload that panics when it is dropped.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic!("{BOOM}");
    }
}

#[task]
async fn in_body(after_await: bool) {
    if after_await {
        tokio::task::yield_now().await;
    }
    panic!("{BOOM}");
}

#[task]
fn in_blocking_body() {
    panic!("{BOOM}");
}

#[task]
async fn without_text() {
    panic_any(7_u8);
}

#[task]
async fn with_payload() {
    panic_any(Payload);
}

#[task]
async fn in_display() -> Result<(), Unspeakable> {
    Err(Unspeakable)
}

#[task]
async fn in_drop_of_params(bomb: Bomb) {
    tokio::task::yield_now().await;
    drop(bomb);
}

#[task]
async fn in_drop_of_result() -> Result<Bomb, String> {
    Ok(Bomb {})
}

#[task]
async fn in_serialize() -> Result<Unwritable, String> {
    Ok(Unwritable {})
}

#[task(timeout = "1ms")]
async fn in_drop_by_timeout() {
    let _bomb = Bomb {};
    std::future::pending::<()>().await;
}

#[task]
async fn in_drop_by_cancel(#[inject] gauge: Gauge) {
    let _bomb = Bomb {};
    let _inside = gauge.enter();
    std::future::pending::<()>().await;
}

#[task]
async fn in_child(#[inject] context: TaskContext) {
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    context.spawn(async {
        let _sender = sender;
        panic_any(Payload);
    });
    context.spawn(async {
        let _bomb = Bomb {};
        std::future::pending::<()>().await;
    });
    let _ = receiver.await;
}

#[task]
async fn in_hook_before() {}

#[task]
async fn in_hook_around() {}

#[task]
fn in_hook_of_blocking() {}

#[task]
async fn in_on_failure() -> Result<(), String> {
    Err("told to the hook".to_owned())
}

/// Made by a factory that panics.
#[derive(Clone)]
struct Unmakeable;

#[task]
async fn in_factory(#[inject] _it: Unmakeable) {}

/// Taken down by a teardown that panics.
#[derive(Clone)]
struct Unkillable;

#[task]
async fn in_teardown(#[inject] _it: Unkillable) {}

/// A dependency whose destructor panics, after the body.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        panic!("{BOOM}");
    }
}

#[task]
async fn in_drop_of_dependency(#[inject] _it: &Fragile) {}

#[task]
async fn fine(#[inject] gauge: Gauge, #[inject] barrier: Arc<Barrier>) {
    let _inside = gauge.enter();
    barrier.wait().await;
}

#[task]
fn fine_in_thread(#[inject] barrier: Arc<std::sync::Barrier>) {
    barrier.wait();
}

/// Each way to panic, and how such a task ends.
const WAYS: [(&str, TaskStatus); 19] = [
    ("in_body", TaskStatus::Failed),
    ("in_blocking_body", TaskStatus::Failed),
    ("without_text", TaskStatus::Failed),
    ("with_payload", TaskStatus::Failed),
    ("in_display", TaskStatus::Failed),
    ("in_drop_of_params", TaskStatus::Failed),
    ("in_drop_of_result", TaskStatus::Failed),
    ("in_serialize", TaskStatus::Failed),
    ("in_drop_by_timeout", TaskStatus::Timeout),
    ("in_drop_by_cancel", TaskStatus::Cancelled),
    ("in_child", TaskStatus::Success),
    ("in_hook_before", TaskStatus::Failed),
    ("in_hook_around", TaskStatus::Failed),
    ("in_hook_of_blocking", TaskStatus::Failed),
    ("in_on_failure", TaskStatus::Failed),
    ("in_factory", TaskStatus::Failed),
    ("in_teardown", TaskStatus::Success),
    ("in_drop_of_dependency", TaskStatus::Success),
    ("fine_alone", TaskStatus::Success),
];

#[task]
async fn fine_alone() {}

fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let is_meant = info.payload_as_str().is_some_and(|it| it.contains(BOOM))
                || info.payload().is::<u8>()
                || info.payload().is::<Payload>();
            if !is_meant {
                usual(info);
            }
        }));
    });
}

const SLOTS: usize = 4;

struct Fixture {
    app: App,
    meeting: Gauge,
    doomed: Gauge,
    told: Arc<AtomicUsize>,
}

async fn fixture() -> Fixture {
    silence();
    let (meeting, doomed, told) = (Gauge::default(), Gauge::default(), Arc::<AtomicUsize>::default());
    let definitions = [
        in_body::definition(),
        in_blocking_body::definition(),
        without_text::definition(),
        with_payload::definition(),
        in_display::definition(),
        in_drop_of_params::definition(),
        in_drop_of_result::definition(),
        in_serialize::definition(),
        in_drop_by_timeout::definition(),
        in_drop_by_cancel::definition(),
        in_child::definition(),
        in_hook_before::definition(),
        in_hook_around::definition(),
        in_hook_of_blocking::definition(),
        in_on_failure::definition(),
        in_factory::definition(),
        in_teardown::definition(),
        in_drop_of_dependency::definition(),
        fine::definition(),
        fine_in_thread::definition(),
        fine_alone::definition(),
    ];
    let counted = told.clone();
    let mut settings = Settings::default();
    settings.slots = SLOTS;
    settings.transitions_buffer = 1 << 16;
    let app = real_app(&definitions)
        .settings(settings)
        .provide(meeting.clone())
        .provide(Arc::new(Barrier::new(SLOTS)))
        .provide(Arc::new(std::sync::Barrier::new(SLOTS)))
        .provide_with(Factory::new(|_| async {
            assert!(std::thread::panicking(), "{BOOM}");
            Ok(Unmakeable)
        }))
        .provide_with(Factory::new(|_| async { Ok(Unkillable) }).teardown(|_| async { panic!("{BOOM}") }))
        .provide_with(Factory::new(|_| async { Ok(Fragile) }))
        .around(|context, body| {
            let name = context.info().name.clone();
            assert!(name != "in_hook_before" && name != "in_hook_of_blocking", "{BOOM}");
            Box::pin(async move {
                let result = body.await;
                assert!(name != "in_hook_around", "{BOOM}");
                result
            })
        })
        .on_failure(move |failed| {
            counted.fetch_add(1, Ordering::SeqCst);
            assert!(failed.name != "in_on_failure", "{BOOM}");
        })
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    Fixture { app, meeting, doomed, told }
}

/// As many bodies as there are slots meet, again and again; were there one slot less, they would wait for ever.
async fn assert_sound(fixture: &Fixture) {
    let Fixture { app, meeting, .. } = fixture;
    meeting.reset();
    let handles = app.submit_many((0..SLOTS * 25).map(|_| fine {})).await.unwrap();
    for handle in handles {
        soon(handle.unwrap().result()).await.unwrap();
    }
    assert_eq!(meeting.most(), SLOTS);
    let handles = app.submit_many((0..SLOTS * 5).map(|_| fine_in_thread {})).await.unwrap();
    for handle in handles {
        soon(handle.unwrap().result()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_panics_leave_the_worker_as_it_was() {
    let fixture = fixture().await;
    let app = &fixture.app;
    assert_sound(&fixture).await;
    let mut tasks = Vec::new();
    // Stored as they are: the submitter's own look at such parameters would panic as well.
    for number in 0..1_000_usize {
        let (name, _) = WAYS[number % WAYS.len()];
        let params = match name {
            "in_body" => serde_json::json!({ "after_await": number % 2 == 0 }),
            "in_drop_of_params" => serde_json::json!({ "bomb": {} }),
            _ => serde_json::json!({}),
        };
        let params = serde_json::value::to_raw_value(&params).unwrap();
        let id = TaskId::from_parts(Timestamp::from_micros(1), 0, u64::try_from(number).unwrap());
        let mut task = NewTask::new(id, Name::new(name), Name::new("default"), params.into());
        if name == "in_drop_by_timeout" {
            task.timeout = Duration::from_millis(1);
        }
        tasks.push(task);
    }
    let mut transitions = app.tasks().transitions();
    app.store().enqueue(tasks).await.unwrap();
    let mut ended = 0;
    while ended < 1_000 {
        let transition = soon(transitions.next()).await.unwrap();
        ended += usize::from(transition.is_terminal());
        if transition.name == "in_drop_by_cancel" && transition.to == TaskStatus::Running {
            app.tasks().cancel(transition.id, "to drop it").await.unwrap();
        }
    }
    let mut failed = 0;
    for (name, status) in WAYS {
        let records = app.tasks().list(Filter::all().name(name), None, 500).await.unwrap().items;
        assert!(records.len() >= 1_000 / WAYS.len(), "{name}");
        for record in &records {
            assert_eq!(record.status, status, "{name}: {:?}", record.error);
        }
        let is_failure = matches!(status, TaskStatus::Failed | TaskStatus::Timeout);
        failed += if is_failure { records.len() } else { 0 };
    }
    // The hooks are told after the store.
    soon(async {
        while fixture.told.load(Ordering::SeqCst) < failed {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_sound(&fixture).await;
    assert_eq!(fixture.told.load(Ordering::SeqCst), failed, "on_failure is told of each once");
    assert_eq!(fixture.doomed.now(), 0);
    assert_eq!(app.shutdown(Duration::from_secs(5)).await, ShutdownReport::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_an_error_with_its_message() {
    let fixture = fixture().await;
    let handle = fixture.app.submit(in_body { after_await: true }).await.unwrap();
    let error = soon(handle.result()).await.unwrap_err();
    assert_eq!(error.to_string(), "the task failed: panicked: boom");
    let handle = fixture.app.submit(without_text {}).await.unwrap();
    let error = soon(handle.result()).await.unwrap_err();
    assert_eq!(error.to_string(), "the task failed: panicked: a value that is no text");
}
