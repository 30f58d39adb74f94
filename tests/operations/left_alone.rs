//! What a worker does when something does not come back: a teardown, the store, its own memory in the store.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use ddd_core::{
    App, BuildError, Factory, ResultError, Settings, SubmitError, Task, TaskContext, task,
    testing::{self, Fault, StoreCall},
};
use ddd_tests::kit::troubled::Troubled;
use tokio::time::{Duration, Instant};

use crate::support::{builder, builder_with, definitions, millis, nap, pass, secs, shared_memory};

struct Tool;

#[task]
async fn uses(#[inject] _tool: &Tool) {}

#[tokio::test(start_paused = true)]
async fn a_teardown_that_never_ends_gives_its_slot_back() {
    let tool = || Factory::new(|_| async { Ok(Tool) }).teardown(|_| std::future::pending());
    let app = builder_with([uses::definition()]).provide_with(tool()).slots(1).build().await.unwrap();
    app.start_workers().await.unwrap();
    let began = Instant::now();
    let first = app.submit(uses {}).await.unwrap();
    let second = app.submit(uses {}).await.unwrap();
    first.result().await.unwrap();
    assert!(began.elapsed() < secs(1), "the end is recorded first");
    second.result().await.unwrap();
    assert!((secs(30)..secs(31)).contains(&began.elapsed()), "{:?}", began.elapsed());
    let mut settings = Settings::default();
    settings.teardown_timeout = secs(2);
    let app = builder_with([uses::definition()]).settings(settings).provide_with(tool()).build().await.unwrap();
    let began = Instant::now();
    app.execute(uses {}).await.unwrap();
    assert!((secs(2)..secs(3)).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_a_factory_started_ends_with_the_attempt_also_if_it_fails() {
    let ticks = Arc::new(AtomicUsize::new(0));
    let seen = ticks.clone();
    let tool = Factory::new(move |context: TaskContext| {
        let (ticks, inner) = (ticks.clone(), context.clone());
        context.spawn(async move {
            // It holds the context that holds it.
            while !inner.is_cancelled() {
                ticks.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(secs(1)).await;
            }
        });
        async move {
            tokio::time::sleep(secs(3)).await;
            Err::<Tool, _>("no tool".into())
        }
    });
    let app = builder_with([uses::definition()]).provide_with(tool).build().await.unwrap();
    app.start_workers().await.unwrap();
    let failed = app.submit(uses {}).await.unwrap();
    let Err(ResultError::Failed(error)) = failed.result().await else { panic!("it ran without its tool") };
    assert!(error.message.contains("no tool"), "{}", error.message);
    let before = seen.load(Ordering::SeqCst);
    pass(secs(60)).await;
    assert_eq!(seen.load(Ordering::SeqCst), before, "a child runs on");
    assert!(before >= 3);
}

#[tokio::test(start_paused = true)]
async fn the_number_of_slots_is_kept_and_told() {
    let app = builder().slots(2).build().await.unwrap();
    let told = async |app: &App| app.tasks().workers().await.unwrap()[0].slots;
    app.set_slots(3);
    app.start_workers().await.unwrap();
    assert_eq!(told(&app).await, 3, "said before there was a worker");
    for _ in 0..10 {
        app.submit(nap { millis: 100 }).await.unwrap();
    }
    pass(millis(50)).await;
    assert_eq!(app.running(), 3);
    app.set_slots(5);
    pass(millis(10)).await;
    assert_eq!((told(&app).await, app.running()), (5, 5), "said while it runs");
    app.tasks().wait_idle().await.unwrap();
    testing::shutdown(&app).await;
    app.start_workers().await.unwrap();
    assert_eq!(told(&app).await, 5, "kept when it starts anew");
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_was_forgotten_makes_itself_known_again() {
    let clock = Arc::new(testing::VirtualClock::start());
    let memory = shared_memory(&clock).0;
    let store = Troubled::new(memory.clone());
    let app = builder().clock(clock.clone()).store(store.clone()).build().await.unwrap();
    let other = builder().clock(clock).store(memory).definitions(definitions()).build().await.unwrap();
    app.start_workers().await.unwrap();
    other.start_workers().await.unwrap();
    store.plan(|_| Fault::Fails);
    // So long that the other worker's upkeep forgets it.
    pass(secs(2 * 3_600)).await;
    testing::shutdown(&other).await;
    store.calm();
    let began = Instant::now();
    other.submit(nap { millis: 1 }).await.unwrap().result().await.unwrap();
    assert!(began.elapsed() < secs(20), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_application_that_was_dropped_stops_calling_its_store() {
    let clock = Arc::new(testing::VirtualClock::start());
    let store = Troubled::new(shared_memory(&clock).0);
    let app = builder().clock(clock).store(store.clone()).build().await.unwrap();
    app.start_workers().await.unwrap();
    store.plan(|method| if method == StoreCall::Finish { Fault::Fails } else { Fault::None });
    app.submit(nap { millis: 1 }).await.unwrap();
    pass(secs(20)).await;
    let before = store.sizes(StoreCall::Finish).len();
    pass(secs(60)).await;
    assert!(store.sizes(StoreCall::Finish).len() > before, "as long as the worker lives it tries again");
    drop(app);
    pass(secs(30)).await;
    let after = store.sizes(StoreCall::Finish).len();
    pass(secs(600)).await;
    assert_eq!(store.sizes(StoreCall::Finish).len(), after, "a lease later it is for others to recover");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_panics_ends_no_slot_and_no_sign_of_life() {
    let clock = Arc::new(testing::VirtualClock::start());
    let store = Troubled::new(shared_memory(&clock).0);
    let app = builder().clock(clock).store(store.clone()).slots(2).build().await.unwrap();
    app.start_workers().await.unwrap();
    let running = app.submit(nap { millis: 60_000 }).await.unwrap();
    pass(secs(1)).await;
    let mut is_odd = false;
    store.plan(move |method| {
        is_odd = !is_odd;
        if is_odd && method != StoreCall::Query { Fault::Panics } else { Fault::None }
    });
    for _ in 0..50 {
        let _ = app.submit(nap { millis: 1 }).await;
    }
    running.result().await.unwrap();
    assert_eq!(app.tasks().get(running.id()).await.unwrap().unwrap().crashes, 0, "its lease was renewed");
    store.plan(|_| Fault::Panics);
    let error = app.submit(nap { millis: 1 }).await.unwrap_err();
    assert!(matches!(error, SubmitError::Store(_)), "{error:?}");
    pass(secs(10)).await;
    store.calm();
    app.tasks().wait_idle().await.unwrap();
    // A slot that asked in vain waits for up to 5 s.
    pass(secs(6)).await;
    let both = [app.submit(nap { millis: 500 }).await.unwrap(), app.submit(nap { millis: 500 }).await.unwrap()];
    pass(millis(100)).await;
    assert_eq!(app.running(), 2, "no slot is gone");
    for handle in both {
        handle.result().await.unwrap();
    }
}

#[tokio::test]
async fn times_that_no_clock_reaches_are_refused() {
    let mut settings = Settings::default();
    settings.poll_interval = Duration::MAX;
    settings.overdue_grace = Duration::MAX;
    settings.lease = Duration::MAX;
    settings.heartbeat = Duration::MAX;
    settings.slots = usize::MAX;
    settings.retry.backoff = f64::NAN;
    let Err(BuildError::Wiring(problems)) = builder().settings(settings).build().await else { panic!("it was built") };
    for name in ["poll_interval", "overdue_grace", "lease", "heartbeat", "slots", "retry.backoff"] {
        assert!(problems.iter().any(|it| it.contains(&format!("`{name}`"))), "{name}: {problems:?}");
    }
}
