//! A shutdown that waits for nobody gives everything back.

use std::time::Duration;

use ddd_core::{Filter, Task, TaskStatus, task};

use crate::support::{Seed, real_app, soon};

#[task]
async fn never_ends() {
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shutdown_at_once_leaves_nothing_running() {
    for seed in Seed::rounds(100) {
        let mut random = seed.random();
        let app = real_app(&[never_ends::definition()]).slots(8).build().await.unwrap();
        app.start_workers().await.unwrap();
        for _ in 0..random.usize(1..12) {
            app.submit(never_ends {}).await.unwrap();
        }
        for _ in 0..random.u32(0..20) {
            tokio::task::yield_now().await;
        }
        let report = soon(app.shutdown(Duration::ZERO)).await;
        assert!(report.still_running.is_empty(), "{report:?}");
        for record in app.tasks().list(Filter::all(), None, 100).await.unwrap().items {
            assert_eq!((record.status, record.attempt), (TaskStatus::Pending, 0), "{record:?} {report:?}");
            assert!(record.lease_until.is_none());
        }
        assert_eq!(app.running(), 0);
    }
}
