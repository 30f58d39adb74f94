//! Bodies that cannot be dropped: they keep their slots, and their records say so.

use std::{sync::Arc, time::Duration};

use ddd_core::{App, AppBuilder, ResultError, Settings, Task, TaskContext, TaskStatus, ports::Controlled, task};

use crate::support::{Gate, Gauge, real_app, record, soon, until};

/// What a test does with a body that is stuck.
#[derive(Clone, Default)]
struct Stuck {
    gate: Gate,
    gauge: Gauge,
}

#[task(timeout = "30ms")]
fn blocks(#[inject] stuck: Stuck) {
    let _inside = stuck.gauge.enter();
    stuck.gate.pass();
}

/// An async body that never yields.
#[task(timeout = "30ms")]
async fn hogs(#[inject] stuck: Stuck) {
    let _inside = stuck.gauge.enter();
    stuck.gate.pass();
}

#[task]
async fn gate_is_open(#[inject] stuck: Stuck) -> Result<bool, String> {
    Ok(stuck.gate.is_open())
}

#[task]
fn waits_for_cancel(#[inject] context: TaskContext, #[inject] stuck: Stuck) {
    let _inside = stuck.gauge.enter();
    while !context.is_cancelled() {
        std::thread::yield_now();
    }
}

fn builder(stuck: &Stuck) -> AppBuilder {
    let mut settings = Settings::default();
    settings.overdue_grace = Duration::from_millis(20);
    settings.heartbeat = Duration::from_millis(20);
    let definitions =
        [blocks::definition(), hogs::definition(), gate_is_open::definition(), waits_for_cancel::definition()];
    real_app(&definitions).settings(settings).provide(stuck.clone())
}

/// Lets the engine do for a while whatever it would wrongly do: another one runs many tasks meanwhile.
async fn a_while() {
    let app = real_app(&[gate_is_open::definition()]).provide(Stuck::default()).slots(1).build().await.unwrap();
    app.start_workers().await.unwrap();
    for _ in 0..200 {
        soon(app.submit(gate_is_open {}).await.unwrap().result()).await.unwrap();
    }
}

async fn keeps_its_slot<T: Task>(task: T) {
    let stuck = Stuck::default();
    let app = builder(&stuck).slots(1).build().await.unwrap();
    app.start_workers().await.unwrap();
    let handle = app.submit(task).await.unwrap();
    assert!(matches!(soon(handle.result()).await, Err(ResultError::TimedOut(_))));
    let overdue = record(&app, handle.id()).await;
    assert_eq!((overdue.status, overdue.still_running), (TaskStatus::Timeout, true));
    assert!(overdue.last_error().unwrap().message.contains("could not be stopped"));
    assert_eq!(app.tasks().retry(handle.id()).await.unwrap(), Controlled::Refused(TaskStatus::Timeout));
    let next = app.submit(gate_is_open {}).await.unwrap();
    a_while().await;
    assert_eq!((app.running(), stuck.gauge.now()), (1, 1), "it occupies its slot");
    stuck.gate.open();
    assert!(soon(next.result()).await.unwrap(), "its slot was used before it returned");
    let returned = record(&app, handle.id()).await;
    assert_eq!((returned.status, returned.still_running), (TaskStatus::Timeout, false));
    assert!(matches!(app.tasks().retry(handle.id()).await.unwrap(), Controlled::Applied(TaskStatus::Pending)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_body_over_its_time_keeps_its_slot() {
    keeps_its_slot(blocks {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_body_that_never_yields_is_reported_likewise() {
    keeps_its_slot(hogs {}).await;
}

async fn no_second_attempt_beside_the_first<T: Task>(task: T) {
    let stuck = Stuck::default();
    let app = builder(&stuck).slots(4).build().await.unwrap();
    app.start_workers().await.unwrap();
    let retry = app.submit(task).max_attempts(2).await.unwrap();
    let overdue = until(&app, retry.id(), |it| it.still_running).await;
    assert_eq!((overdue.status, overdue.attempt), (TaskStatus::Running, 1));
    a_while().await;
    assert_eq!(stuck.gauge.entered(), 1, "a second attempt started while the first ran");
    stuck.gate.open();
    soon(retry.result()).await.unwrap();
    let done = record(&app, retry.id()).await;
    assert_eq!((done.status, done.attempt, done.still_running), (TaskStatus::Success, 2, false));
    assert_eq!((stuck.gauge.entered(), stuck.gauge.most(), done.errors.len()), (2, 1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_attempt_starts_beside_a_blocking_body() {
    no_second_attempt_beside_the_first(blocks {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_attempt_starts_beside_a_body_that_never_yields() {
    no_second_attempt_beside_the_first(hogs {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_body_sees_that_it_was_cancelled() {
    let stuck = Stuck::default();
    let app = builder(&stuck).build().await.unwrap();
    app.start_workers().await.unwrap();
    let handle = app.submit(waits_for_cancel {}).await.unwrap();
    stuck.gauge.reaches(1).await;
    assert!(matches!(handle.cancel().await.unwrap(), Controlled::Requested { .. }));
    assert!(matches!(soon(handle.result()).await, Err(ResultError::Cancelled)));
}

/// A hook that does not wait for the body does not free the slot either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_cannot_leave_a_blocking_body_behind() {
    let stuck = Stuck::default();
    let entered = stuck.gauge.clone();
    let app = builder(&stuck)
        .slots(1)
        .around(move |context, mut body| {
            let entered = entered.clone();
            let is_blocking = context.info().name == "blocks";
            Box::pin(async move {
                if !is_blocking {
                    return body.await;
                }
                let begun = tokio::time::timeout(Duration::from_millis(1), &mut body).await;
                entered.reaches(1).await;
                drop(begun);
                Ok(None)
            })
        })
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    let left = app.submit(blocks {}).timeout(Duration::from_secs(60)).await.unwrap();
    let next = app.submit(gate_is_open {}).await.unwrap();
    stuck.gauge.reaches(1).await;
    a_while().await;
    stuck.gate.open();
    assert!(soon(next.result()).await.unwrap(), "its slot was used before it returned");
    soon(left.result()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_bodies_run_side_by_side() {
    #[derive(Clone)]
    struct Meeting(Arc<std::sync::Barrier>);

    #[task]
    fn meet_blocking(#[inject] meeting: Meeting) {
        meeting.0.wait();
    }

    let meeting = Meeting(Arc::new(std::sync::Barrier::new(8)));
    let app: App = real_app(&[meet_blocking::definition()]).provide(meeting).slots(8).build().await.unwrap();
    app.start_workers().await.unwrap();
    for _ in 0..80 {
        app.submit(meet_blocking {}).await.unwrap();
    }
    soon(app.tasks().wait_idle()).await.unwrap();
    assert_eq!(app.tasks().statistics().await.unwrap().finished.get(TaskStatus::Success), 80);
}
