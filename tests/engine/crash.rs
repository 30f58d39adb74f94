//! A worker dies: its tasks go on elsewhere, and what it still says is not believed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ddd_core::{
    App, MemoryStore, ResultError, Task, TaskContext, TaskStatus, TaskStore,
    domain::FailureKind,
    ports::{AttemptEnd, Finish, Finished},
    task,
    testing::{self, VirtualClock},
};
use tokio::time::Instant;

use crate::support::{Gate, Gauge, Skewed, real_app, record, soon, virtual_app};

/// How many workers the task kills.
#[derive(Clone)]
struct Kills(u32);

#[derive(Clone, Default)]
struct Together(Arc<AtomicUsize>, Gauge);

/// Hangs until its worker is killed, as often as told; then takes a while.
#[task]
async fn victim(
    #[inject] kills: Kills,
    #[inject] together: Together,
    #[inject] context: TaskContext,
) -> Result<u64, String> {
    if context.fence().get() <= u64::from(kills.0) {
        std::future::pending::<()>().await;
    }
    for _ in 0..10 {
        together.0.fetch_max(together.1.now(), Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(context.fence().get())
}

#[task]
async fn bystander(#[inject] together: Together) {
    let _inside = together.1.enter();
    tokio::time::sleep(Duration::from_millis(70)).await;
}

struct Cluster {
    store: Arc<dyn TaskStore>,
    kills: Kills,
    together: Together,
}

impl Cluster {
    fn new(kills: u32) -> Self {
        let store = Arc::new(MemoryStore::with_clock(Arc::new(VirtualClock::start())));
        Self { store, kills: Kills(kills), together: Together::default() }
    }

    async fn app(&self) -> App {
        virtual_app(&[victim::definition(), bystander::definition()])
            .shared_store(self.store.clone())
            .provide(self.kills.clone())
            .provide(self.together.clone())
            .slots(4)
            .build()
            .await
            .unwrap()
    }

    /// Starts a worker and kills it once it runs the victim, as the claim of this number.
    async fn kill_one(&self, id: ddd_core::TaskId, fence: u64) {
        let app = self.app().await;
        app.start_workers().await.unwrap();
        while record(&app, id).await.fence.get() < fence {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        testing::crash(&app).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_of_a_dead_worker_runs_elsewhere_after_its_lease() {
    let cluster = Cluster::new(1);
    let app = cluster.app().await;
    let handle = app.submit(victim {}).await.unwrap();
    let began = Instant::now();
    cluster.kill_one(handle.id(), 1).await;
    app.start_workers().await.unwrap();
    assert_eq!(handle.status().await.unwrap(), Some(TaskStatus::Running), "its lease runs");
    assert_eq!(handle.result().await.unwrap(), 2);
    let took = began.elapsed().as_secs_f64();
    assert!((15.0..25.0).contains(&took), "after {took} s; the lease is 15 s, and the reaper looks each 5 s");
    let record = record(&app, handle.id()).await;
    assert_eq!((record.status, record.attempt, record.max_attempts, record.crashes), (TaskStatus::Success, 1, 1, 1));
    assert_eq!(record.errors[0].kind, FailureKind::Crash);
}

#[tokio::test(start_paused = true)]
async fn after_two_deaths_a_task_runs_alone() {
    let cluster = Cluster::new(2);
    let app = cluster.app().await;
    let handle = app.submit(victim {}).await.unwrap();
    for fence in 1..=2 {
        cluster.kill_one(handle.id(), fence).await;
    }
    app.start_workers().await.unwrap();
    // A flood, from before the victim is taken back until after it has run.
    while handle.status().await.unwrap() != Some(TaskStatus::Success) {
        for _ in 0..8 {
            app.submit(bystander {}).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert!(cluster.together.1.most() == 4, "no flood");
    assert_eq!(cluster.together.0.load(Ordering::SeqCst), 0, "others ran beside it");
    assert_eq!(record(&app, handle.id()).await.crashes, 2);
    app.tasks().wait_idle().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_three_deaths_a_task_is_failed() {
    let cluster = Cluster::new(3);
    let app = cluster.app().await;
    let handle = app.submit(victim {}).await.unwrap();
    for fence in 1..=3 {
        cluster.kill_one(handle.id(), fence).await;
    }
    app.start_workers().await.unwrap();
    let Err(ResultError::Failed(error)) = handle.result().await else { panic!("it failed") };
    assert_eq!((error.kind, error.message.as_str()), (FailureKind::Crash, "its worker died 3 times while running it"));
    // Retried by hand, it starts afresh.
    app.tasks().retry(handle.id()).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 4);
    assert_eq!(record(&app, handle.id()).await.crashes, 0);
}

#[derive(Clone, Default)]
struct Slow(Gate, Gauge);

/// The first claim waits for the gate, in a thread that nothing can stop.
#[task]
fn told_twice(#[inject] slow: Slow, #[inject] context: TaskContext) -> Result<u64, String> {
    if context.fence().get() == 1 {
        let _inside = slow.1.enter();
        slow.0.pass();
    }
    Ok(context.fence().get())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_lost_claim_reports_is_discarded() {
    let (clock, slow) = (Skewed::default(), Slow::default());
    let app = real_app(&[told_twice::definition()])
        .clock(Arc::new(clock.clone()))
        .provide(slow.clone())
        .slots(2)
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    let mut transitions = app.tasks().transitions();
    let handle = app.submit(told_twice {}).await.unwrap();
    slow.1.reaches(1).await;
    let first = record(&app, handle.id()).await;
    clock.forward(Duration::from_secs(16));
    assert_eq!(app.store().reap(10).await.unwrap().recovered, 1);
    assert_eq!(soon(handle.result()).await.unwrap(), 2);
    slow.0.open();
    slow.1.reaches(0).await;
    soon(async {
        while app.running() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let stale = Finish::new(handle.id(), first.fence, AttemptEnd::Release);
    assert_eq!(app.store().finish(vec![stale]).await.unwrap(), [Finished::Stale]);
    let record = record(&app, handle.id()).await;
    assert_eq!((record.status, record.attempt, record.result.unwrap().get()), (TaskStatus::Success, 1, "2"));
    let mut ends = 0;
    while let Some(transition) = transitions.try_next().unwrap() {
        ends += usize::from(transition.is_terminal());
    }
    assert_eq!(ends, 1);
}
