//! What a shutdown leaves behind, in virtual time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ddd_core::{
    App, Filter, Task, TaskContext, TaskStatus, task,
    testing::{self, Fault, StoreCall},
};
use ddd_tests::kit::troubled::Troubled;

use crate::support::{all, builder, builder_with, echo, millis, nap, pass, record, secs, shared_memory, status, until};

/// A body that is told of the end, cleans up for so long, and fails.
#[task]
async fn polite(millis: u64, #[inject] context: TaskContext, #[inject] done: &Arc<AtomicUsize>) -> Result<(), String> {
    context.cancelled().await;
    assert!(context.is_cancelled());
    pass(Duration::from_millis(millis)).await;
    done.fetch_add(1, Ordering::SeqCst);
    Err("interrupted".to_owned())
}

/// A body that is told of the end, and says that all is well.
#[task]
async fn content(#[inject] context: TaskContext) -> Result<(), String> {
    context.cancelled().await;
    Ok(())
}

/// The same on a thread of its own, which looks for itself.
#[task]
fn content_in_thread(#[inject] context: TaskContext) -> Result<(), String> {
    while !context.is_cancelled() {
        std::thread::yield_now();
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_broken_off_never_counts_as_done() {
    let app =
        App::builder().definitions([content::definition(), content_in_thread::definition()]).build().await.unwrap();
    app.start_workers().await.unwrap();
    let bodies = [app.submit(content {}).await.unwrap(), app.submit(content_in_thread {}).await.unwrap()];
    for body in &bodies {
        until(body, TaskStatus::Running).await;
    }
    let report = app.shutdown(millis(50)).await;
    for body in &bodies {
        let record = record(body).await;
        assert_eq!((record.status, record.attempt), (TaskStatus::Pending, 0), "{}", record.name);
        assert!(report.given_back.contains(&body.id()), "{}", record.name);
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_end_in_time_are_waited_for() {
    let app = crate::support::started().await;
    let body = app.submit(nap { millis: 2_000 }).await.unwrap();
    until(&body, TaskStatus::Running).await;
    let began = tokio::time::Instant::now();
    let report = app.shutdown(secs(30)).await;
    assert_eq!((report.given_back.len(), report.still_running.len()), (0, 0));
    assert!(began.elapsed() <= millis(2_100), "it waits for the body only, not for the deadline");
    assert_eq!(record(&body).await.status, TaskStatus::Success);
    assert_eq!(app.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_claimed_after_the_signal() {
    let clock = Arc::new(testing::VirtualClock::start());
    let store = Troubled::new(shared_memory(&clock).0);
    let app = builder().clock(clock).shared_store(Arc::new(store.clone())).slots(4).build().await.unwrap();
    app.start_workers().await.unwrap();
    let mut running = Vec::new();
    for _ in 0..4 {
        running.push(app.submit(nap { millis: 1_000 }).await.unwrap());
    }
    for body in &running {
        until(body, TaskStatus::Running).await;
    }
    for _ in 0..1_000 {
        app.submit(nap { millis: 1_000 }).await.unwrap();
    }
    let before = store.sizes(StoreCall::Claim).len();
    let report = app.shutdown(secs(10)).await;
    assert!(report.given_back.is_empty());
    assert_eq!(store.sizes(StoreCall::Claim).len(), before, "claims after the signal");
    let statistics = app.tasks().statistics().await.unwrap();
    assert_eq!((statistics.now.get(TaskStatus::Success), statistics.now.get(TaskStatus::Pending)), (4, 1_000));
    app.submit(nap { millis: 1 }).await.unwrap();
    pass(secs(60)).await;
    assert_eq!(store.sizes(StoreCall::Claim).len(), before, "claims after the end");
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_keeps_its_attempts_and_is_done_by_the_next_worker() {
    let clock = Arc::new(testing::VirtualClock::start());
    let (_, store) = shared_memory(&clock);
    let first = builder().clock(clock.clone()).shared_store(store.clone()).slots(2).build().await.unwrap();
    first.start_workers().await.unwrap();
    let mut bodies = Vec::new();
    for _ in 0..5 {
        bodies.push(first.submit(nap { millis: 60_000 }).max_attempts(1).await.unwrap());
    }
    until(&bodies[1], TaskStatus::Running).await;
    let report = first.shutdown(secs(1)).await;
    assert_eq!(report.given_back.len(), 2);
    assert!(report.still_running.is_empty());
    for (index, body) in bodies.iter().enumerate() {
        let record = record(body).await;
        assert_eq!((record.status, record.attempt, record.crashes), (TaskStatus::Pending, 0, 0));
        assert_eq!(record.fence.get(), if index < 2 { 2 } else { 0 }, "what was running is under a new fence");
        assert_eq!(report.given_back.contains(&record.id), index < 2);
    }
    let second = builder().clock(clock).shared_store(store).build().await.unwrap();
    second.start_workers().await.unwrap();
    for body in &bodies {
        body.result().await.unwrap();
        assert_eq!(record(body).await.attempt, 1);
    }
    let statistics = second.tasks().statistics().await.unwrap();
    assert_eq!(statistics.finished.get(TaskStatus::Success), 5);
}

#[tokio::test(start_paused = true)]
async fn bodies_that_listen_are_told_at_the_deadline() {
    let done = Arc::new(AtomicUsize::new(0));
    let app = builder_with([polite::definition()]).provide(done.clone()).build().await.unwrap();
    app.start_workers().await.unwrap();
    let (quick, slow) =
        (app.submit(polite { millis: 20 }).await.unwrap(), app.submit(polite { millis: 2_000 }).await.unwrap());
    until(&quick, TaskStatus::Running).await;
    until(&slow, TaskStatus::Running).await;
    let began = tokio::time::Instant::now();
    let report = app.shutdown(millis(100)).await;
    assert!(began.elapsed() <= millis(600));
    assert_eq!(done.load(Ordering::SeqCst), 1, "only the quick one had the time to clean up");
    for body in [&quick, &slow] {
        assert!(report.given_back.contains(&body.id()));
        let record = record(body).await;
        assert_eq!((record.status, record.attempt), (TaskStatus::Pending, 0), "that it was told to end is no failure");
        assert!(record.errors.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn before_the_start_twice_at_once_and_start_again() {
    let app = builder().build().await.unwrap();
    assert_eq!(app.shutdown(secs(1)).await, ddd_core::ShutdownReport::default());
    app.start_workers().await.unwrap();
    let body = app.submit(nap { millis: 10_000 }).await.unwrap();
    until(&body, TaskStatus::Running).await;
    let (one, other) = tokio::join!(app.shutdown(secs(2)), app.shutdown(secs(2)));
    let given_back: Vec<_> = one.given_back.into_iter().chain(other.given_back).collect();
    assert_eq!(given_back, [body.id()], "one of both reports it");
    assert_eq!(app.shutdown(secs(1)).await, ddd_core::ShutdownReport::default());
    app.start_workers().await.unwrap();
    body.result().await.unwrap();
    assert_eq!(app.submit(echo { text: "again".into() }).await.unwrap().result().await.unwrap(), "again");
    testing::shutdown(&app).await;
}

#[tokio::test(start_paused = true)]
async fn submissions_meanwhile_are_kept_and_run_once() {
    let clock = Arc::new(testing::VirtualClock::start());
    let (_, store) = shared_memory(&clock);
    let app = builder().clock(clock.clone()).shared_store(store.clone()).slots(3).build().await.unwrap();
    app.start_workers().await.unwrap();
    let submitter = tokio::spawn({
        let app = app.clone();
        async move {
            let mut handles = Vec::new();
            for number in 0..500_u64 {
                handles.push(app.submit(nap { millis: number % 7 }).await.unwrap());
                if number % 10 == 0 {
                    pass(millis(1)).await;
                }
            }
            handles
        }
    });
    pass(millis(20)).await;
    app.shutdown(millis(5)).await;
    let handles = submitter.await.unwrap();
    let second = builder().clock(clock).shared_store(store).build().await.unwrap();
    let statistics = testing::drain(&second).await;
    assert_eq!(statistics.finished.get(TaskStatus::Success), 500);
    assert_eq!(statistics.now.total(), 500);
    for handle in &handles {
        handle.result().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_application_claims_nothing_more_and_loses_nothing() {
    let clock = Arc::new(testing::VirtualClock::start());
    let (memory, _) = shared_memory(&clock);
    let store = Troubled::new(memory.clone());
    let app = builder().clock(clock.clone()).shared_store(Arc::new(store.clone())).slots(1).build().await.unwrap();
    app.start_workers().await.unwrap();
    let running = app.submit(nap { millis: 3_600_000 }).timeout(secs(7_200)).await.unwrap().id();
    let queued = app.submit(echo { text: "later".into() }).await.unwrap().id();
    while app.running() == 0 {
        pass(millis(1)).await;
    }
    drop(app);
    let (claims, beats) = (store.sizes(StoreCall::Claim).len(), store.sizes(StoreCall::Heartbeat).len());
    pass(secs(10)).await;
    assert_eq!((store.sizes(StoreCall::Claim).len(), store.sizes(StoreCall::Heartbeat).len()), (claims, beats));
    assert!(store.sizes(StoreCall::Schedules).len() <= 1, "and it looks at no schedules");
    let next = builder().clock(clock).store(memory).build().await.unwrap();
    next.start_workers().await.unwrap();
    assert_eq!(next.tasks().handle::<String>(queued).result().await.unwrap(), "later");
    let handle = next.tasks().handle::<()>(running);
    let mut transitions = next.tasks().transitions();
    while record(&handle).await.fence.get() < 2 {
        transitions.next().await.unwrap();
    }
    assert_eq!((record(&handle).await.crashes, status(&handle).await), (1, TaskStatus::Running));
    next.shutdown(millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_that_is_not_awaited_to_its_end_ends_all_the_same() {
    let app: App = crate::support::started().await;
    let body = app.submit(nap { millis: 60_000 }).await.unwrap();
    until(&body, TaskStatus::Running).await;
    assert!(tokio::time::timeout(millis(100), app.shutdown(secs(5))).await.is_err());
    until(&body, TaskStatus::Pending).await;
    let left = all(&app, Filter::all().status(TaskStatus::Running)).await;
    assert!(left.is_empty());
    assert!(app.tasks().workers().await.unwrap().is_empty(), "the store has forgotten the worker");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_overtaken_by_a_shutdown_starts_nothing() {
    for within in [millis(500), secs(10)] {
        let clock = Arc::new(testing::VirtualClock::start());
        let store = Troubled::new(shared_memory(&clock).0);
        store.plan(|it| if it == StoreCall::Declare { Fault::Late(secs(3)) } else { Fault::None });
        let app = builder().clock(clock).shared_store(Arc::new(store.clone())).build().await.unwrap();
        let body = app.submit(nap { millis: 0 }).await.unwrap();
        let start = async { app.start_workers().await.unwrap_err() };
        let end = async {
            pass(secs(1)).await;
            app.shutdown(within).await
        };
        let (error, report) = tokio::join!(start, end);
        let reason = std::error::Error::source(&error).unwrap().to_string();
        assert!(reason.contains("shut down meanwhile"), "{reason}");
        assert_eq!(report, ddd_core::ShutdownReport::default());
        pass(secs(60)).await;
        assert_eq!(status(&body).await, TaskStatus::Pending);
        assert!(app.tasks().workers().await.unwrap().is_empty());
        app.start_workers().await.unwrap();
        body.result().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_an_application_outlives_it() {
    for is_shut_down in [true, false] {
        let provided = Arc::new(AtomicUsize::new(0));
        let app = builder_with([polite::definition()]).provide(provided.clone()).build().await.unwrap();
        app.start_workers().await.unwrap();
        app.submit(echo { text: "x".into() }).await.unwrap().result().await.unwrap();
        assert!(Arc::strong_count(&provided) > 1);
        if is_shut_down {
            testing::shutdown(&app).await;
        }
        drop(app);
        pass(secs(1)).await;
        assert_eq!(Arc::strong_count(&provided), 1, "shut down: {is_shut_down}");
    }
}
