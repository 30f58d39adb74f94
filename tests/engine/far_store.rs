//! A store that takes time to answer: claims are large while bodies are quick, and no larger than the free slots when they are not.

use std::sync::Arc;

use ddd_core::{
    Filter, MemoryStore, Task, TaskStatus, TaskStore,
    ports::{ClaimRequest, Claims, Finish, Finished, StoreFuture},
    task,
};
use ddd_tests::kit::layer::{Layer, Layered};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::support::{real_app, soon};

const SLOTS: u32 = 4;

/// Answers claims and ends late, and notes how much of both there was at a time.
struct Far {
    below: Arc<dyn TaskStore>,
    claims: Arc<Mutex<Vec<(usize, usize)>>>,
    ends: Mutex<Vec<usize>>,
}

impl Layer for Far {
    fn below(&self) -> &Arc<dyn TaskStore> {
        &self.below
    }

    fn claim(&self, request: ClaimRequest) -> StoreFuture<Claims> {
        let (below, claims) = (self.below.clone(), self.claims.clone());
        Box::pin(async move {
            tokio::task::yield_now().await;
            let max = request.max;
            let answer = below.claim(request).await?;
            claims.lock().push((max, answer.tasks.len()));
            Ok(answer)
        })
    }

    fn finish(&self, finishes: Vec<Finish>) -> StoreFuture<Vec<Finished>> {
        let below = self.below.clone();
        self.ends.lock().push(finishes.len());
        Box::pin(async move {
            tokio::task::yield_now().await;
            below.finish(finishes).await
        })
    }

    fn finish_and_claim_now(
        &self,
        _: &mut dyn Iterator<Item = Finish>,
        _: &ClaimRequest,
    ) -> Option<(Vec<Finished>, Claims)> {
        None
    }
}

#[task]
async fn passes() {}

static GATE: Semaphore = Semaphore::const_new(0);
static BEGUN: Semaphore = Semaphore::const_new(0);

#[task]
async fn waits() {
    BEGUN.add_permits(1);
    GATE.acquire().await.map(drop).unwrap_or_default();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_are_large_only_while_bodies_are_quick() {
    let far = Arc::new(Far { below: Arc::new(MemoryStore::new()), claims: Arc::default(), ends: Mutex::default() });
    let app = real_app(&[passes::definition(), waits::definition()]);
    let app = app.store(Layered(far.clone())).slots(SLOTS as usize).build().await.unwrap();
    for _ in 0..6_000 {
        app.submit(passes {}).await.unwrap();
    }
    for _ in 0..1_000 {
        app.submit(waits {}).await.unwrap();
    }
    app.start_workers().await.unwrap();
    soon(BEGUN.acquire_many(SLOTS)).await.unwrap().forget();
    // What was claimed in the belief that it is quick goes back, but for what the slots have begun.
    let running = || async { app.tasks().statistics().await.unwrap().now.get(TaskStatus::Running) };
    soon(async {
        while running().await != u64::from(SLOTS) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let most = far.claims.lock().iter().map(|it| it.1).max().unwrap();
    assert!((100..=500).contains(&most), "{most} tasks in the largest claim");
    let most = far.ends.lock().iter().copied().max().unwrap();
    assert!(most > 32, "{most} ends in the largest batch");
    GATE.close();
    soon(app.tasks().wait_idle()).await.unwrap();
    let records = app.tasks().list(Filter::all(), None, 1_000).await.unwrap().items;
    assert!(records.iter().all(|it| it.status == TaskStatus::Success && it.attempt == 1), "no attempt was consumed");
    // While bodies waited, no more than the slots were asked for.
    let claims = std::mem::take(&mut *far.claims.lock());
    assert!(claims.iter().all(|it| it.0 <= 500), "too much was asked for");
}
