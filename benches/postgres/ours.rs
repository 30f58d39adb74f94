//! Our store under our engine, as an application would use it: defaults.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use ddd_benches::PostgresServer;
use ddd_core::{App, PostgresStore, task};
use tokio::runtime::{Builder, Runtime};

#[task]
async fn noop() {}

static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
static STARTED: AtomicU64 = AtomicU64::new(0);

/// Says when it started.
#[task]
async fn note_start() {
    STARTED.store(elapsed(), Ordering::Release);
}

fn elapsed() -> u64 {
    u64::try_from(BEGINNING.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

async fn app(server: &PostgresServer, slots: usize) -> App {
    let options = PostgresStore::options().namespace(server.fresh_namespace());
    let store = options.connect(server.url()).await.expect("the server answers");
    App::builder().store(store).slots(slots).build().await.expect("the wiring is right")
}

/// Submits so many tasks in batches while they run, and waits for the result of each; tasks per second.
pub(crate) fn end_to_end(server: &PostgresServer, tasks: usize, batch: usize) -> f64 {
    runtime().block_on(async {
        let app = app(server, 256).await;
        app.start_workers().await.expect("the worker starts");
        let began = Instant::now();
        let mut handles = Vec::with_capacity(tasks);
        for first in (0..tasks).step_by(batch) {
            let batch = (first..(first + batch).min(tasks)).map(|_| noop {});
            let answers = app.submit_many(batch).await.expect("the store answers");
            handles.extend(answers.into_iter().map(|it| it.expect("the task is taken")));
        }
        for handle in handles {
            handle.result().await.expect("the task succeeded");
        }
        let rate = tasks as f64 / began.elapsed().as_secs_f64();
        app.shutdown(Duration::from_secs(1)).await;
        rate
    })
}

/// Single submissions from so many submitters, each of which waits for its answer before the next; nothing runs. Tasks per
/// second.
pub(crate) fn submissions(server: &PostgresServer, submitters: usize, each: usize) -> f64 {
    runtime().block_on(async {
        let app = app(server, 1).await;
        app.submit(noop {}).await.expect("the task is taken");
        let began = Instant::now();
        let submitters: Vec<_> = (0..submitters)
            .map(|_| {
                let app = app.clone();
                tokio::spawn(async move {
                    for _ in 0..each {
                        app.submit(noop {}).await.expect("the task is taken");
                    }
                })
            })
            .collect();
        let rows = submitters.len() * each;
        for it in submitters {
            it.await.expect("a submitter ends");
        }
        rows as f64 / began.elapsed().as_secs_f64()
    })
}

/// How long it takes from the call that submits a task until its body starts, one task at a time.
pub(crate) fn starts(server: &PostgresServer, count: usize) -> Vec<Duration> {
    runtime().block_on(async {
        let app = app(server, 16).await;
        app.start_workers().await.expect("the worker starts");
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let submitted = elapsed();
            let handle = app.submit(note_start {}).await.expect("the task is taken");
            handle.result().await.expect("the task succeeded");
            times.push(Duration::from_nanos(STARTED.load(Ordering::Acquire) - submitted));
        }
        app.shutdown(Duration::from_secs(1)).await;
        times
    })
}
