//! Shutdown while the store has trouble: it returns in time, and nothing is lost.

use std::sync::Arc;

use ddd_core::{
    TaskStatus,
    testing::{self, Fault},
};
use ddd_tests::kit::troubled::Troubled;
use tokio::time::Instant;

use crate::support::{builder, millis, nap, secs, shared_memory, until};

async fn shuts_down_in_time(trouble: Fault) {
    let clock = Arc::new(testing::VirtualClock::start());
    let (memory, _) = shared_memory(&clock);
    let store = Troubled::new(memory.clone());
    let app = builder().clock(clock.clone()).shared_store(Arc::new(store.clone())).slots(3).build().await.unwrap();
    app.start_workers().await.unwrap();
    let mut ids = Vec::new();
    for number in 0..3 {
        let body = app.submit(nap { millis: 1_500 * (number + 1) }).timeout(secs(600)).await.unwrap();
        until(&body, TaskStatus::Running).await;
        ids.push(body.id());
    }
    for _ in 0..20 {
        ids.push(app.submit(nap { millis: 10 }).await.unwrap().id());
    }
    store.plan(move |_| trouble);
    let began = Instant::now();
    app.shutdown(secs(2)).await;
    assert!(began.elapsed() <= secs(2) + millis(500), "{trouble:?}: {:?}", began.elapsed());
    drop(app);

    let next = builder().clock(clock).store(memory).build().await.unwrap();
    next.start_workers().await.unwrap();
    for id in ids {
        next.tasks().handle::<()>(id).result().await.unwrap();
    }
    let statistics = next.tasks().statistics().await.unwrap();
    assert_eq!(statistics.finished.get(TaskStatus::Success), 23, "{trouble:?}");
    assert_eq!(statistics.finished.total(), 23, "{trouble:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails() {
    shuts_down_in_time(Fault::Fails).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs() {
    shuts_down_in_time(Fault::Hangs).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_loses_its_answers() {
    shuts_down_in_time(Fault::AnswerLost).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_slow() {
    shuts_down_in_time(Fault::Late(millis(200))).await;
    shuts_down_in_time(Fault::Late(secs(3))).await;
}
