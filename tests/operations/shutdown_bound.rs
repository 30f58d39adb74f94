//! The bound of a shutdown, which is a promise about real time: it returns within the deadline and half a second.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use ddd_core::{App, AppBuilder, Filter, MemoryStore, Priority, Task, TaskStatus, TaskStore, task};

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::support::{all, is_nightly, millis, secs};

const BEYOND: Duration = Duration::from_millis(500);

/// How often the body of each number ended.
type Ends = Arc<Mutex<HashMap<u64, usize>>>;

#[task]
async fn short(number: u64, #[inject] ends: &Ends) {
    tokio::time::sleep(millis(5)).await;
    *ends.lock().unwrap().entry(number).or_default() += 1;
}

/// Long in the first process, short in the next.
#[task]
async fn long(number: u64, #[inject] ends: &Ends, #[inject] first: &First) {
    tokio::time::sleep(first.begin(number)).await;
    *ends.lock().unwrap().entry(number).or_default() += 1;
}

/// Ignores that it is to end, but awaits now and then.
#[task]
async fn stubborn(number: u64, #[inject] ends: &Ends, #[inject] first: &First) {
    let until = Instant::now() + first.begin(number);
    while Instant::now() < until {
        tokio::time::sleep(millis(1)).await;
    }
    *ends.lock().unwrap().entry(number).or_default() += 1;
}

/// Blocks the thread of the runtime.
#[task]
async fn hog(number: u64, #[inject] ends: &Ends, #[inject] first: &First) {
    std::thread::sleep(first.begin(number).min(HOGGED));
    *ends.lock().unwrap().entry(number).or_default() += 1;
}

/// Blocks a thread of its own.
#[task]
fn blocking(number: u64, #[inject] ends: &Ends, #[inject] first: &First) {
    std::thread::sleep(first.begin(number).min(HOGGED));
    *ends.lock().unwrap().entry(number).or_default() += 1;
}

const HOGGED: Duration = Duration::from_millis(900);

/// Who is told that a body of the first process has begun; in the next one nobody is, and bodies are short.
#[derive(Clone, Debug)]
struct First(Option<UnboundedSender<u64>>);

impl First {
    /// How long a body takes.
    fn begin(&self, number: u64) -> Duration {
        let told = self.0.as_ref().map(|it| it.send(number));
        told.map_or(Duration::ZERO, |_| secs(60))
    }
}

fn process(store: &Arc<dyn TaskStore>, ends: &Ends, first: First) -> AppBuilder {
    App::builder()
        .definitions([
            short::definition(),
            long::definition(),
            stubborn::definition(),
            hog::definition(),
            blocking::definition(),
        ])
        .shared_store(store.clone())
        .provide(ends.clone())
        .provide(first)
}

/// All sorts of bodies run, 1,000 tasks wait, and the process is told to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_returns_in_time_and_loses_nothing() {
    for round in 0..if is_nightly() { 100 } else { 8 } {
        one_round(round).await;
    }
}

async fn one_round(round: usize) {
    const QUEUED: u64 = 1_000;
    let (store, ends): (Arc<dyn TaskStore>, Ends) = (Arc::new(MemoryStore::new()), Ends::default());
    let (sender, mut begun) = unbounded_channel();
    let first = process(&store, &ends, First(Some(sender))).slots(6).build().await.unwrap();
    let urgent = Priority::MAX;
    let mut unending = Vec::new();
    for number in [0, 1] {
        unending.push(first.submit(long { number }).priority(urgent).await.unwrap().id());
    }
    unending.push(first.submit(stubborn { number: 2 }).priority(urgent).await.unwrap().id());
    let blocked = first.submit(blocking { number: 3 }).priority(urgent).await.unwrap().id();
    let hogged = first.submit(hog { number: 4 }).priority(urgent).await.unwrap().id();
    for number in 5..5 + QUEUED {
        first.submit(short { number }).await.unwrap();
    }
    first.start_workers().await.unwrap();
    for _ in 0..5 {
        begun.recv().await.unwrap();
    }
    let deadline = millis(100);
    let began = Instant::now();
    let report = first.shutdown(deadline).await;
    let took = began.elapsed();
    assert!(took < deadline + BEYOND, "round {round}: {took:?}");

    let still_running: Vec<_> = report.still_running.iter().map(|it| it.0).collect();
    assert!(still_running.contains(&blocked) && still_running.contains(&hogged), "round {round}: {report:?}");
    for id in &unending {
        assert!(report.given_back.contains(id) || still_running.contains(id), "round {round}: {report:?}");
    }
    let records = all(&first, Filter::all()).await;
    assert_eq!(records.len() as u64, 5 + QUEUED);
    for record in &records {
        let was_running = report.given_back.contains(&record.id) || still_running.contains(&record.id);
        match record.status {
            TaskStatus::Success => assert!(!was_running, "round {round}: {record:?}"),
            TaskStatus::Pending => {
                assert_eq!(record.attempt, 0, "round {round}: no attempt is consumed");
                assert!(!was_running || record.fence.get() == 2, "round {round}: under a new fence");
            }
            status => panic!("round {round}: {} is {status}", record.name),
        }
    }
    let done = records.iter().filter(|it| it.status == TaskStatus::Success).count();
    assert!(done < 900, "round {round}: the machine was too fast for this test to say anything");

    let second = process(&store, &ends, First(None)).slots(32).build().await.unwrap();
    second.start_workers().await.unwrap();
    second.tasks().wait_idle().await.unwrap();
    let statistics = second.tasks().statistics().await.unwrap();
    assert_eq!(statistics.finished.get(TaskStatus::Success), 5 + QUEUED, "round {round}");
    assert_eq!(statistics.finished.total(), 5 + QUEUED, "round {round}");
    let ends = ends.lock().unwrap().clone();
    for number in (0..3).chain(5..5 + QUEUED) {
        assert_eq!(ends.get(&number), Some(&1), "round {round}: body {number}");
    }
    assert_eq!(second.shutdown(secs(1)).await.still_running.len(), 0);
}

/// Every thread of the runtime is blocked, so that no timer of it fires.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_block_every_thread_do_not_hold_it_up() {
    let (store, ends): (Arc<dyn TaskStore>, Ends) = (Arc::new(MemoryStore::new()), Ends::default());
    let (sender, mut begun) = unbounded_channel();
    let app = process(&store, &ends, First(Some(sender))).slots(4).build().await.unwrap();
    for number in 0..4 {
        app.submit(hog { number }).await.unwrap();
    }
    app.start_workers().await.unwrap();
    begun.recv().await.unwrap();
    let began = Instant::now();
    let report = app.shutdown(millis(50)).await;
    let took = began.elapsed();
    assert!(took < millis(50) + BEYOND, "{took:?}");
    assert!(!report.still_running.is_empty());
    for (id, _) in &report.still_running {
        assert_eq!(app.tasks().get(*id).await.unwrap().unwrap().status, TaskStatus::Pending);
    }
}
