//! Cancel, complete, fail, time out, retry and reap race; each run ends exactly once.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use ddd_core::{
    App, Filter, Settings, Task, TaskError, TaskHandle, TaskId, TaskRecord, TaskStatus, Transition,
    domain::{Counts, Fence},
    ports::Controlled,
    task,
};

use crate::support::{Seed, Skewed, real_app, soon};

const LEASE: Duration = Duration::from_secs(15);

/// Yields so often, then ends as told; with a timeout of a millisecond it may sleep over it.
#[task(retry(max_attempts = 1, delay = "1ms"))]
async fn racer(yields: u32, end: u8) -> Result<u32, TaskError> {
    for _ in 0..yields {
        tokio::task::yield_now().await;
    }
    match end {
        0 | 1 => Ok(yields),
        2 => Err(TaskError::permanent("for good")),
        3 => Err(TaskError::retry_after(Duration::ZERO)),
        4 => Err(TaskError::cancel("by itself")),
        _ => {
            tokio::time::sleep(Duration::from_millis(u64::from(yields % 4))).await;
            Ok(yields)
        }
    }
}

fn rounds() -> u64 {
    if std::env::var_os("DDD_NIGHTLY").is_some() { 500 } else { 200 }
}

/// What one of those who race did, as far as it must show in the outcome.
type Requested = Vec<(TaskId, Fence)>;

async fn cancel(app: App, id: TaskId, pause: u32) -> Requested {
    yield_often(pause).await;
    match app.tasks().cancel(id, "raced").await.unwrap() {
        Controlled::Requested { fence } => vec![(id, fence)],
        _ => Vec::new(),
    }
}

async fn retry(app: App, id: TaskId, pause: u32) -> Requested {
    yield_often(pause).await;
    app.tasks().retry(id).await.unwrap();
    Vec::new()
}

async fn reap(app: App, clock: Skewed, pause: u32) -> Requested {
    yield_often(pause).await;
    clock.forward(LEASE + Duration::from_secs(1));
    app.store().reap(1_000).await.unwrap();
    Vec::new()
}

async fn yield_often(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_run_ends_exactly_once() {
    let clock = Skewed::default();
    let mut settings = Settings::default();
    (settings.slots, settings.lease, settings.transitions_buffer) = (4, LEASE, 1 << 20);
    let app = real_app(&[racer::definition()])
        .settings(settings)
        .clock(std::sync::Arc::new(clock.clone()))
        .build()
        .await
        .unwrap();
    let mut stream = app.tasks().transitions();
    app.start_workers().await.unwrap();
    let mut requested = Requested::new();
    let mut transitions = Vec::new();
    let mut submitted = 0_u64;
    for seed in Seed::rounds(rounds()) {
        let mut random = seed.random();
        let mut handles: Vec<TaskHandle<u32>> = Vec::new();
        let mut racers = tokio::task::JoinSet::new();
        for _ in 0..random.usize(3..8) {
            let submission = app.submit(racer { yields: random.u32(0..30), end: random.u8(0..7) });
            let timeout = Duration::from_millis(if random.bool() { 1 } else { 60_000 });
            let handle = submission.timeout(timeout).max_attempts(random.u32(1..4)).await.unwrap();
            submitted += 1;
            for _ in 0..random.u32(0..3) {
                racers.spawn(cancel(app.clone(), handle.id(), random.u32(0..40)));
            }
            for _ in 0..random.u32(0..3) {
                racers.spawn(retry(app.clone(), handle.id(), random.u32(0..80)));
            }
            handles.push(handle);
        }
        for _ in 0..random.u32(0..3) {
            racers.spawn(reap(app.clone(), clock.clone(), random.u32(0..40)));
        }
        requested.extend(soon(racers.join_all()).await.into_iter().flatten());
        soon(app.tasks().wait_idle()).await.unwrap();
        while let Some(transition) = stream.try_next().unwrap() {
            transitions.push(transition);
        }
        for handle in handles {
            let record = handle.record().await.unwrap().unwrap();
            let fresh = soon(app.tasks().handle::<u32>(handle.id()).result()).await;
            assert_eq!(fresh.is_ok(), record.status == TaskStatus::Success, "{record:?}: {fresh:?}");
            // A live handle keeps what it saw of the first run.
            if record.run == 1 && record.crashes == 0 {
                let result = soon(handle.result()).await;
                assert_eq!(result.is_ok(), fresh.is_ok(), "{record:?}: {result:?}");
            }
        }
        check(&transitions, &requested);
        transitions.clear();
        requested.clear();
    }
    check_figures(&app, submitted).await;
}

/// Checks the transitions of tasks from their submission to the end of their last run.
fn check(transitions: &[Transition], requested: &Requested) {
    let mut tasks: HashMap<TaskId, Vec<&Transition>> = HashMap::new();
    for transition in transitions {
        tasks.entry(transition.id).or_default().push(transition);
    }
    for (id, life) in &tasks {
        let mut ends: BTreeMap<u32, Vec<TaskStatus>> = BTreeMap::new();
        let mut before: Option<&Transition> = None;
        for now in life {
            assert_eq!(now.from, before.map(|it| it.to), "{id}: a gap in {life:#?}");
            if let Some(before) = before {
                assert!(before.to.may_become(now.to), "{id}: {} to {}", before.to, now.to);
                assert!(now.fence >= before.fence, "{id}: {life:#?}");
                let is_new_run = before.to.is_terminal();
                assert_eq!(now.run, before.run + u32::from(is_new_run), "{id}: {life:#?}");
                let is_claim = now.to == TaskStatus::Running;
                assert!(!is_claim || now.fence > before.fence, "{id}: a claim under an old fence");
            }
            if now.is_terminal() {
                ends.entry(now.run).or_default().push(now.to);
            }
            before = Some(now);
        }
        let last = before.unwrap().run;
        assert_eq!(ends.keys().copied().collect::<Vec<_>>(), (1..=last).collect::<Vec<_>>(), "{id}: {life:#?}");
        assert!(ends.values().all(|it| it.len() == 1), "{id}: a run ended more than once: {life:#?}");
        for (_, fence) in requested.iter().filter(|it| it.0 == *id) {
            let claim = life.iter().find(|it| it.to == TaskStatus::Running && it.fence == *fence).unwrap();
            assert_eq!(ends[&claim.run], [TaskStatus::Cancelled], "{id}: was cancelled while running: {life:#?}");
        }
    }
}

/// Checks that figures and records agree.
async fn check_figures(app: &App, submitted: u64) {
    let records = all(app).await;
    let mut now = Counts::default();
    let mut runs = 0;
    for record in &records {
        now.add(record.status);
        runs += u64::from(record.run);
        assert!(record.status.is_terminal() && record.finished_at.is_some() && !record.still_running, "{record:?}");
    }
    let statistics = app.tasks().statistics().await.unwrap();
    assert_eq!((statistics.submitted, records.len()), (submitted, usize::try_from(submitted).unwrap()));
    assert_eq!(statistics.now, now);
    assert_eq!(statistics.finished.total(), runs, "each run is counted once");
    soon(async {
        while app.running() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn all(app: &App) -> Vec<TaskRecord> {
    let (mut records, mut cursor) = (Vec::new(), None);
    loop {
        let page = app.tasks().list(Filter::all(), cursor, 500).await.unwrap();
        let found = app.tasks().get_many(page.items.iter().map(|it| it.id)).await.unwrap();
        records.extend(found.into_iter().map(|it| it.expect("what a list shows is on record")));
        cursor = page.next;
        if cursor.is_none() {
            return records;
        }
    }
}
