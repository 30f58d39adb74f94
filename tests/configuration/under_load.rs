//! 10,000 tasks and 100 reloads at the same time, half of them invalid.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use ddd_core::{App, Filter, Task, TaskStatus, task};

use crate::support::Folder;

const TASKS: usize = 10_000;
const RELOADS: usize = 100;

static RAN: AtomicUsize = AtomicUsize::new(0);

#[task(queue = "crates")]
async fn lift(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    RAN.fetch_add(1, Ordering::Relaxed);
}

fn text(slots: usize, concurrency: usize, timeout: usize) -> String {
    format!(
        "tasks:\n  max_workers: {slots}\n  definitions: {{lift: {{timeout: {timeout}m}}}}\nqueues:\n  crates:\n    \
         concurrency: {concurrency}\n"
    )
}

/// Each wrong in another way, at its line.
const WRONG: [(&str, &str); 4] = [
    ("tasks:\n  max_workers: many\n", "default.yaml:2: `tasks.max_workers`"),
    ("queues:\n  crates:\n    concurrency: 0\n", "default.yaml:3: `queues.crates.concurrency`"),
    ("tasks:\n  max_workers: 1\n  lease: 77s\n", "default.yaml:3: `tasks.lease`: it is `15s`, and to become `77s`"),
    ("tasks:\n  definitions:\n    lfit: {timeout: 1s}\n", "default.yaml:3: `tasks.definitions.lfit`"),
];

async fn running(app: &App) -> (usize, usize) {
    let queues = app.tasks().queues().await.unwrap();
    let queue = queues.iter().find(|it| it.name == "crates").unwrap();
    (usize::try_from(queue.counts.get(TaskStatus::Running)).unwrap(), queue.settings.concurrency.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_nothing_is_lost_and_what_is_wrong_changes_nothing() {
    let seed = std::env::var("SEED").ok().and_then(|it| it.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    eprintln!("SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let folder = Folder::new().file("default.yaml", &text(8, 8, 1));
    let configuration = folder.builder().load().unwrap();
    let app = App::builder().definitions([lift::definition()]).configuration(&configuration).start().await.unwrap();
    let submitting = tokio::spawn({
        let (app, mut random) = (app.clone(), random.fork());
        async move {
            for _ in 0..TASKS / 100 {
                app.submit_many((0..100).map(|_| lift { millis: random.u64(0..3) })).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    let (mut limit, mut timeout) = (8, 1);
    let (mut taken, mut looks) = (0, 0);
    for round in 0..RELOADS {
        let is_wrong = round % 2 == 1;
        if is_wrong {
            let (wrong, place) = WRONG[round / 2 % WRONG.len()];
            std::fs::write(folder.path().join("default.yaml"), wrong).unwrap();
            let before = app.configuration().unwrap().explain();
            let error = app.reload().await.unwrap_err();
            assert!(error.problems().iter().any(|it| it.to_string().contains(place)), "{place}: {error}");
            assert_eq!(app.configuration().unwrap().explain(), before);
        } else {
            (limit, timeout) = (random.usize(1..24), random.usize(1..1_000));
            std::fs::write(folder.path().join("default.yaml"), text(random.usize(4..24), limit, timeout)).unwrap();
            app.reload().await.unwrap();
            taken += 1;
        }
        assert_eq!(app.registry().find("lift").unwrap().settings.timeout.as_secs(), 60 * timeout as u64);
        // No task begins that is one too many: from more than the limit it only goes down.
        let mut last = usize::MAX;
        for _ in 0..20 {
            let (now, configured) = running(&app).await;
            assert_eq!(configured, limit, "round {round}");
            assert!(now <= last.max(limit), "round {round}: {now} run after {last}, and the limit is {limit}");
            last = now;
            looks += 1;
            tokio::task::yield_now().await;
        }
        let timeouts = app.submit(lift { millis: 0 }).await.unwrap().record().await.unwrap();
        assert_eq!(timeouts.map(|it| it.timeout.as_secs()), Some(60 * timeout as u64), "round {round}");
    }
    submitting.await.unwrap();
    std::fs::write(folder.path().join("default.yaml"), text(16, 64, 1)).unwrap();
    app.reload().await.unwrap();
    app.tasks().wait_idle().await.unwrap();
    assert_eq!(RAN.load(Ordering::Relaxed), TASKS + RELOADS);
    let finished = app.tasks().statistics().await.unwrap().finished;
    assert_eq!(finished.get(TaskStatus::Success), (TASKS + RELOADS) as u64, "{finished:?}");
    assert_eq!(finished.total(), (TASKS + RELOADS) as u64, "{finished:?}");
    let newest = app.tasks().list(Filter::default(), None, 200).await.unwrap();
    assert!(newest.items.iter().all(|it| it.attempt == 1), "a task that was given back has not used an attempt up");
    eprintln!("{taken} of {RELOADS} reloads were taken, {looks} looks at {} tasks", TASKS + RELOADS);
    app.shutdown(Duration::from_secs(5)).await;
}
