//! Tasks start by rank: priority, then age; and nothing starves.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ddd_core::{App, AppBuilder, Priority, Task, TaskContext, domain::RankStep, task};

use crate::support::virtual_app;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Notes its label, and takes so many seconds; fails as often as told.
#[task(retry(max_attempts = 3, delay = "30s", jitter = false))]
async fn step(
    label: String,
    seconds: u64,
    failures: u32,
    #[inject] log: Log,
    #[inject] context: TaskContext,
) -> Result<(), String> {
    log.0.lock().unwrap().push(label);
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    if context.attempt() <= failures { Err("not yet".to_owned()) } else { Ok(()) }
}

fn one_slot(log: &Log) -> AppBuilder {
    virtual_app(&[step::definition()]).provide(log.clone()).slots(1)
}

fn labelled(label: impl Into<String>, seconds: u64) -> step {
    step { label: label.into(), seconds, failures: 0 }
}

async fn submit(app: &App, label: impl Into<String>, priority: i8) {
    app.submit(labelled(label, 1)).priority(Priority::new(priority).unwrap()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn priority_comes_first_and_then_age() {
    let log = Log::default();
    let app = one_slot(&log).build().await.unwrap();
    let mut wanted = Vec::new();
    for number in 0..200_i32 {
        let priority = i8::try_from(number * 7 % 21 - 10).unwrap();
        submit(&app, number.to_string(), priority).await;
        wanted.push((-priority, number));
    }
    wanted.sort_unstable();
    ddd_core::testing::drain(&app).await;
    assert_eq!(log.taken(), wanted.iter().map(|it| it.1.to_string()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_urgent_tasks_starves_nobody() {
    const STEP: Duration = Duration::from_secs(60);
    const EVERY: Duration = Duration::from_secs(5);
    let log = Log::default();
    let app = one_slot(&log).rank_step(RankStep::new(STEP)).build().await.unwrap();
    app.start_workers().await.unwrap();
    let began = tokio::time::Instant::now();
    // Half as fast as they come: the flood only grows.
    app.submit(labelled("first", 10)).await.unwrap();
    let low = app.submit(labelled("low", 10)).priority(Priority::MIN).await.unwrap();
    let (mut early, mut late) = (0, 0);
    while low.status().await.unwrap().is_some_and(|it| it.is_queued()) {
        let label = if began.elapsed() <= 20 * STEP { "early" } else { "late" };
        *if label == "early" { &mut early } else { &mut late } += 1;
        app.submit(labelled(label, 10)).priority(Priority::MAX).await.unwrap();
        tokio::time::sleep(EVERY).await;
        assert!(began.elapsed() < 100 * STEP, "the task of low priority starves");
    }
    let started = log.taken();
    let place = started.iter().position(|it| it == "low").unwrap();
    assert!(early > 200 && late > 200, "no flood: {early} and {late}");
    assert!(!started[..place].contains(&"late".to_owned()), "a task more than 20 steps younger started before it");
    let before = started[..place].iter().filter(|it| *it == "early").count();
    // The very last one is as old as the low one, to the microsecond.
    assert!(early - before <= 1, "{} more urgent tasks did not start before it", early - before);
}

#[tokio::test(start_paused = true)]
async fn age_overtakes_priority_unless_the_order_is_strict() {
    for (step, first) in [(RankStep::default(), "low"), (RankStep::STRICT, "high")] {
        let log = Log::default();
        let app = one_slot(&log).rank_step(step).build().await.unwrap();
        submit(&app, "low", -10).await;
        tokio::time::sleep(Duration::from_secs(21 * 3_600)).await;
        submit(&app, "high", 10).await;
        ddd_core::testing::drain(&app).await;
        assert_eq!(log.taken()[0], first, "{step:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn retried_and_delayed_tasks_keep_their_rank() {
    let log = Log::default();
    let app = one_slot(&log).build().await.unwrap();
    let retried = step { label: "retried".to_owned(), seconds: 0, failures: 1 };
    app.submit(retried).priority(Priority::new(5).unwrap()).await.unwrap();
    for number in 0..8 {
        app.submit(labelled(number.to_string(), 10)).await.unwrap();
    }
    let seconds = Duration::from_secs;
    app.submit(labelled("urgent", 1)).delay(seconds(55)).priority(Priority::new(1).unwrap()).await.unwrap();
    app.submit(labelled("delayed", 1)).delay(seconds(15)).await.unwrap();
    ddd_core::testing::drain(&app).await;
    app.tasks().wait_idle().await.unwrap();
    // At 30 s the retry is due and first; at 55 s the urgent one; the delayed one is younger than all that were due before.
    let wanted = ["retried", "0", "1", "2", "retried", "3", "4", "5", "urgent", "6", "7", "delayed"];
    assert_eq!(log.taken(), wanted);
}
