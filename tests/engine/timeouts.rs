//! A body that yields ends with its record: nothing of it goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use ddd_core::{App, ResultError, Settings, Task, TaskContext, TaskStatus, ports::Controlled, task};
use tokio::time::Instant;

use crate::support::{Seed, assert_about, ended, real_app, record, soon, virtual_app};

/// What bodies do to the world.
#[derive(Clone, Default)]
struct World {
    effects: Arc<AtomicU64>,
    held: Arc<AtomicBool>,
}

impl World {
    fn act(&self) {
        self.effects.fetch_add(1, Ordering::SeqCst);
    }

    fn effects(&self) -> u64 {
        self.effects.load(Ordering::SeqCst)
    }

    fn hold(&self) -> Resource {
        self.held.store(true, Ordering::SeqCst);
        Resource(self.held.clone())
    }
}

struct Resource(Arc<AtomicBool>);

impl Drop for Resource {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Acts for ever, and so do its child and its grandchild.
#[task]
async fn act_for_ever(every_ms: u64, #[inject] world: World, #[inject] context: TaskContext) {
    async fn act(world: World, every: Duration) {
        loop {
            if every.is_zero() {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(every).await;
            }
            world.act();
        }
    }
    let _held = world.hold();
    let every = Duration::from_millis(every_ms);
    let (child, grandchild) = (act(world.clone(), every), act(world.clone(), every));
    let spawner = context.clone();
    context.spawn(async move {
        spawner.spawn(grandchild);
        child.await;
    });
    act(world, every).await;
}

#[task]
async fn nothing() {}

#[tokio::test(start_paused = true)]
async fn a_body_over_its_time_is_dropped_with_all_it_has() {
    let world = World::default();
    let app = virtual_app(&[act_for_ever::definition()]).provide(world.clone()).build().await.unwrap();
    app.start_workers().await.unwrap();
    let began = Instant::now();
    let task = act_for_ever { every_ms: 10 };
    let handle = app.submit(task).timeout(Duration::from_secs(1)).await.unwrap();
    assert!(matches!(handle.result().await, Err(ResultError::TimedOut(error)) if error.message.contains("1s")));
    assert_about(began.elapsed(), Duration::from_secs(1), &"the timeout");
    assert!(!world.held.load(Ordering::SeqCst), "what the body held is dropped");
    let effects = world.effects();
    assert!(effects > 250, "body, child and grandchild acted: {effects}");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.effects(), effects);
    let record = record(&app, handle.id()).await;
    assert_eq!((record.status, record.still_running), (TaskStatus::Timeout, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acts_after_the_record_tells_the_end() {
    let world = World::default();
    let definitions = [act_for_ever::definition(), nothing::definition()];
    let app = real_app(&definitions).provide(world.clone()).slots(2).build().await.unwrap();
    app.start_workers().await.unwrap();
    let mut transitions = app.tasks().transitions();
    for seed in Seed::rounds(60) {
        let mut random = seed.random();
        let by_timeout = random.bool();
        let timeout = Duration::from_millis(if by_timeout { random.u64(1..15) } else { 60_000 });
        let handle = app.submit(act_for_ever { every_ms: 0 }).timeout(timeout).await.unwrap();
        if !by_timeout {
            for _ in 0..random.u32(0..2_000) {
                tokio::task::yield_now().await;
            }
            handle.cancel().await.unwrap();
        }
        let wanted = if by_timeout { TaskStatus::Timeout } else { TaskStatus::Cancelled };
        assert_eq!(soon(ended(&mut transitions, handle.id())).await, wanted);
        let effects = world.effects();
        assert!(!world.held.load(Ordering::SeqCst));
        for _ in 0..5 {
            soon(app.submit(nothing {}).await.unwrap().result()).await.unwrap();
        }
        assert_eq!(world.effects(), effects, "something acted after the end");
    }
}

/// Yields so often, and succeeds.
#[task]
async fn yields(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_to_a_cancel_tells_who_won() {
    let app = real_app(&[yields::definition()]).slots(2).build().await.unwrap();
    app.start_workers().await.unwrap();
    let mut transitions = app.tasks().transitions();
    let mut answers = [0; 3];
    for seed in Seed::rounds(300) {
        let mut random = seed.random();
        // Now and then one that is sure to be running still.
        let is_long = random.u32(..10) == 0;
        let times = if is_long { 1_000_000_000 } else { random.u32(0..40) };
        let handle = app.submit(yields { times }).await.unwrap();
        let mut is_awaited = is_long || random.bool();
        while is_awaited {
            let transition = soon(transitions.next()).await.unwrap();
            is_awaited = transition.id != handle.id() || transition.to != TaskStatus::Running;
        }
        for _ in 0..random.u32(0..40) {
            tokio::task::yield_now().await;
        }
        let answer = handle.cancel().await.unwrap();
        let result = soon(handle.result()).await;
        let status = handle.status().await.unwrap().unwrap();
        let (number, wanted) = match answer {
            Controlled::Applied(TaskStatus::Cancelled) => (0, TaskStatus::Cancelled),
            Controlled::Requested { .. } => (1, TaskStatus::Cancelled),
            Controlled::Refused(TaskStatus::Success) => (2, TaskStatus::Success),
            other => panic!("{other:?}"),
        };
        answers[number] += 1;
        assert_eq!(status, wanted, "{answer:?}");
        assert_eq!(result.is_ok(), status == TaskStatus::Success, "{answer:?}");
    }
    assert!(answers[1] > 0, "no running task was cancelled: {answers:?}");
}

#[derive(Clone, Default)]
struct Cleaned(Arc<AtomicBool>);

/// Waits to be cancelled, and cleans up for so many seconds.
#[task]
async fn cleans_up(seconds: u64, #[inject] cleaned: Cleaned, #[inject] context: TaskContext) {
    context.cancelled().await;
    assert!(context.is_cancelled());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    cleaned.0.store(true, Ordering::SeqCst);
}

#[task]
async fn never_ends() {
    std::future::pending::<()>().await;
}

/// Cancels a task once it runs; answers how long it went on.
async fn cancelled_after<T: Task>(app: &App, task: T) -> Duration {
    let handle = app.submit(task).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let began = Instant::now();
    assert!(matches!(handle.cancel().await.unwrap(), Controlled::Requested { .. }));
    assert!(matches!(handle.result().await, Err(ResultError::Cancelled)));
    assert_eq!(handle.status().await.unwrap(), Some(TaskStatus::Cancelled));
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_body_that_listens_is_given_a_grace() {
    let cleaned = Cleaned::default();
    let mut settings = Settings::default();
    settings.cancel_grace = Duration::from_secs(5);
    let app = virtual_app(&[cleans_up::definition(), never_ends::definition()])
        .settings(settings)
        .provide(cleaned.clone())
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    assert_about(cancelled_after(&app, never_ends {}).await, Duration::ZERO, &"one that does not listen");
    assert_about(cancelled_after(&app, cleans_up { seconds: 3 }).await, Duration::from_secs(3), &"in time");
    assert!(cleaned.0.swap(false, Ordering::SeqCst));
    assert_about(cancelled_after(&app, cleans_up { seconds: 60 }).await, Duration::from_secs(5), &"over the grace");
    assert!(!cleaned.0.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_queued_task_is_cancelled_at_once_and_keeps_the_reason() {
    let app = virtual_app(&[never_ends::definition()]).build().await.unwrap();
    let handle = app.submit(never_ends {}).await.unwrap();
    let answer = app.tasks().cancel(handle.id(), "not needed").await.unwrap();
    assert_eq!(answer, Controlled::Applied(TaskStatus::Cancelled));
    assert_eq!(handle.cancel().await.unwrap(), Controlled::Refused(TaskStatus::Cancelled));
    let record = record(&app, handle.id()).await;
    assert_eq!((record.attempt, record.last_error().unwrap().message.as_str()), (0, "not needed"));
}

/// The cancel comes between claim and start as well as at any later moment; it never waits for a heartbeat.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cancel_right_after_the_claim_is_not_lost() {
    let mut settings = Settings::default();
    (settings.heartbeat, settings.lease) = (Duration::from_secs(3_600), Duration::from_secs(3 * 3_600));
    let app = real_app(&[never_ends::definition()]).settings(settings).slots(4).build().await.unwrap();
    app.start_workers().await.unwrap();
    let mut transitions = app.tasks().transitions();
    app.submit_many((0..1_000).map(|_| never_ends {})).await.unwrap();
    let mut ended = 0;
    while ended < 1_000 {
        let transition = soon(transitions.next()).await.unwrap();
        ended += usize::from(transition.is_terminal());
        if transition.to == TaskStatus::Running {
            app.tasks().cancel(transition.id, "at once").await.unwrap();
        }
    }
}
