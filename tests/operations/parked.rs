//! Tasks that no live worker knows: set aside where everyone sees them, and taken up when someone comes who knows them.

use std::sync::Arc;

use ddd_core::{
    App, Filter, Task, TaskStatus, TaskStore,
    domain::Options,
    ports::{Controlled, Definition},
    task, testing,
};

use crate::support::{all, builder, builder_with, millis, nap, pass, record, secs, shared_memory, status, until};

#[task]
async fn novelty(number: u64) -> Result<u64, String> {
    Ok(number + 1)
}

/// The same in another version.
fn novelty_of_version(version: u32) -> &'static Definition {
    let it = novelty::definition();
    let options = Options::DEFAULT.version(version);
    let place = (it.module, it.file, it.line);
    Box::leak(Box::new(Definition::new(it.name, it.doc, place, options, it.body, it.check, it.schemas, &[], &[])))
}

struct Deployment {
    clock: Arc<testing::VirtualClock>,
    store: Arc<dyn TaskStore>,
}

impl Deployment {
    fn new() -> Self {
        let clock = Arc::new(testing::VirtualClock::start());
        let store = shared_memory(&clock).1;
        Self { clock, store }
    }

    async fn submitter(&self, definition: &'static Definition) -> App {
        let app = builder_with([definition]).clock(self.clock.clone()).shared_store(self.store.clone());
        app.submit_only().build().await.unwrap()
    }

    async fn worker(&self, definition: Option<&'static Definition>) -> App {
        let app = builder().definitions(crate::support::definitions().into_iter().chain(definition));
        let app = app.clock(self.clock.clone()).shared_store(self.store.clone()).build().await.unwrap();
        app.start_workers().await.unwrap();
        app
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_knows_is_parked_until_someone_does() {
    let deployment = Deployment::new();
    let submitter = deployment.submitter(novelty::definition()).await;
    let body = submitter.submit(novelty { number: 1 }).await.unwrap();
    pass(secs(60)).await;
    assert_eq!(status(&body).await, TaskStatus::Pending, "where no worker lives, none is asked for more than that");
    let old = deployment.worker(None).await;
    until(&body, TaskStatus::Parked).await;
    let behind = submitter.submit(nap { millis: 1 }).await.unwrap();
    behind.result().await.unwrap();
    assert_eq!(all(&old, Filter::all().status(TaskStatus::Parked)).await.len(), 1);
    assert_eq!(submitter.tasks().statistics().await.unwrap().now.get(TaskStatus::Parked), 1);
    assert_eq!(old.tasks().queues().await.unwrap()[0].counts.get(TaskStatus::Parked), 1);
    pass(secs(600)).await;
    assert_eq!(record(&body).await.attempt, 0, "it costs no attempt");
    let mut transitions = submitter.tasks().transitions();
    let _new = deployment.worker(Some(novelty::definition())).await;
    assert_eq!(body.result().await.unwrap(), 2);
    let first = transitions.next().await.unwrap();
    assert_eq!((first.from, first.to), (Some(TaskStatus::Parked), TaskStatus::Pending), "freed by the declaration");
    // As long as one worker knows it, the others leave it alone.
    for number in 0..20 {
        assert_eq!(submitter.submit(novelty { number }).await.unwrap().result().await.unwrap(), number + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn when_the_last_one_who_knows_it_goes_it_is_parked() {
    let deployment = Deployment::new();
    let submitter = deployment.submitter(novelty::definition()).await;
    let new = deployment.worker(Some(novelty::definition())).await;
    let _old = deployment.worker(None).await;
    submitter.submit(novelty { number: 1 }).await.unwrap().result().await.unwrap();
    new.shutdown(secs(1)).await;
    let body = submitter.submit(novelty { number: 2 }).await.unwrap();
    until(&body, TaskStatus::Parked).await;
    // It can be cancelled, and reprioritised, all the same.
    assert_eq!(
        submitter.tasks().reprioritise(body.id(), ddd_core::Priority::MAX).await.unwrap(),
        Controlled::Applied(TaskStatus::Parked)
    );
    assert_eq!(body.cancel().await.unwrap(), Controlled::Applied(TaskStatus::Cancelled));
    // A worker that died without a word is gone when its lease is.
    let killed = deployment.worker(Some(novelty::definition())).await;
    testing::crash(&killed).await;
    let body = submitter.submit(novelty { number: 3 }).await.unwrap();
    pass(secs(5)).await;
    assert_eq!(status(&body).await, TaskStatus::Pending);
    pass(secs(30)).await;
    assert_eq!(status(&body).await, TaskStatus::Parked);
    new.start_workers().await.unwrap();
    assert_eq!(body.result().await.unwrap(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_worker_takes_versions_up_to_its_own() {
    let deployment = Deployment::new();
    let by_version = async |version| {
        let submitter = deployment.submitter(novelty_of_version(version)).await;
        submitter.submit_named("novelty", serde_json::json!({ "number": version })).await.unwrap()
    };
    let (first, second, third) = (by_version(1).await, by_version(2).await, by_version(3).await);
    assert_eq!(record(&third).await.version, 3);
    let _two = deployment.worker(Some(novelty_of_version(2))).await;
    assert_eq!((first.result().await.unwrap(), second.result().await.unwrap()), (2.into(), 3.into()));
    until(&third, TaskStatus::Parked).await;
    let reason = record(&third).await.waits_for().unwrap();
    assert_eq!(reason, "a worker that knows `novelty` in version 3 or higher; none is alive");
    assert_eq!(record(&first).await.waits_for(), None);
    let _three = deployment.worker(Some(novelty_of_version(3))).await;
    assert_eq!(third.result().await.unwrap(), 4);
    pass(millis(1)).await;
}
