//! Changes to tasks and queues on a user's behalf.

use ddd_core::{
    App, Bulk, Filter, Operation, Priority, ResultError, TaskHandle, TaskStatus,
    ports::{Controlled, Due},
    testing,
};
use tokio::time::{Instant, timeout};

use crate::support::{all, builder, definitions, echo, fail, millis, nap, pass, record, secs, started, status, until};

#[tokio::test(start_paused = true)]
async fn a_paused_queue_rests_and_what_runs_goes_on() {
    let app = started().await;
    let running = app.submit(nap { millis: 500 }).await.unwrap();
    until(&running, TaskStatus::Running).await;
    app.tasks().pause("default").await.unwrap();
    let held = app.submit(echo { text: "held".into() }).await.unwrap();
    let other = app.submit(echo { text: "other".into() }).queue("faults").await.unwrap();
    running.result().await.unwrap();
    assert_eq!(other.result().await.unwrap(), "other", "other queues go on");
    pass(secs(60)).await;
    assert_eq!(status(&held).await, TaskStatus::Pending);
    app.tasks().resume("default").await.unwrap();
    let began = Instant::now();
    assert_eq!(held.result().await.unwrap(), "held");
    assert!(began.elapsed() < millis(50), "it is taken up at once");
}

/// Submits tasks that cannot run yet.
async fn held(app: &App, count: usize) -> Vec<TaskHandle<String>> {
    app.tasks().pause("default").await.unwrap();
    let mut handles = Vec::new();
    for number in 0..count {
        handles.push(app.submit(echo { text: number.to_string() }).await.unwrap());
    }
    handles
}

/// The order in which the tasks of one slot began.
async fn order(app: &App, handles: &[TaskHandle<String>]) -> Vec<usize> {
    let mut transitions = app.tasks().transitions();
    app.tasks().resume("default").await.unwrap();
    let mut order = Vec::new();
    while order.len() < handles.len() {
        let transition = transitions.next().await.unwrap();
        if transition.to == TaskStatus::Running {
            order.push(handles.iter().position(|it| it.id() == transition.id).unwrap());
        }
    }
    order
}

#[tokio::test(start_paused = true)]
async fn another_priority_is_another_place_in_the_line() {
    let app = builder().slots(1).build().await.unwrap();
    app.start_workers().await.unwrap();
    let handles = held(&app, 4).await;
    let answer = app.tasks().reprioritise(handles[2].id(), Priority::MAX).await.unwrap();
    assert_eq!(answer, Controlled::Applied(TaskStatus::Pending));
    app.tasks().reprioritise(handles[0].id(), Priority::MIN).await.unwrap();
    assert_eq!(record(&handles[0]).await.priority, Priority::MIN);
    assert_eq!(order(&app, &handles).await, [2, 1, 3, 0]);
    handles[0].result().await.unwrap();
    let late = app.tasks().reprioritise(handles[0].id(), Priority::MAX).await.unwrap();
    assert_eq!(late, Controlled::Refused(TaskStatus::Success));
}

#[tokio::test(start_paused = true)]
async fn another_due_time_is_kept() {
    let app = started().await;
    let body = app.submit(nap { millis: 0 }).delay(secs(3_600)).await.unwrap();
    let began = Instant::now();
    let tasks = app.tasks();
    assert_eq!(tasks.reschedule(body.id(), Due::In(secs(10))).await.unwrap(), Controlled::Applied(TaskStatus::Delayed));
    body.result().await.unwrap();
    assert!(began.elapsed() >= secs(10) && began.elapsed() < secs(12), "{:?}", began.elapsed());
    let put_off = held(&app, 1).await.remove(0);
    let at = record(&put_off).await.created_at.after(secs(100));
    assert_eq!(tasks.reschedule(put_off.id(), Due::At(at)).await.unwrap(), Controlled::Applied(TaskStatus::Delayed));
    tasks.resume("default").await.unwrap();
    put_off.result().await.unwrap();
    assert_eq!(record(&put_off).await.started_at, Some(at));
    let now = app.submit(nap { millis: 0 }).delay(secs(3_600)).await.unwrap();
    let began = Instant::now();
    assert_eq!(tasks.reschedule(now.id(), Due::Now).await.unwrap(), Controlled::Applied(TaskStatus::Pending));
    now.result().await.unwrap();
    assert!(began.elapsed() < millis(50));
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_a_new_run() {
    let app = started().await;
    let body = app.submit(fail { millis: 0 }).await.unwrap();
    assert!(body.result().await.is_err());
    assert_eq!(app.tasks().retry(body.id()).await.unwrap(), Controlled::Applied(TaskStatus::Pending));
    let handle = app.tasks().handle::<()>(body.id());
    assert!(matches!(handle.result().await, Err(ResultError::Failed(_))));
    let record = record(&body).await;
    assert_eq!((record.run, record.attempt, record.fence.get(), record.errors.len()), (2, 1, 2, 2));
    assert_eq!(record.errors.iter().map(|it| it.run).collect::<Vec<_>>(), [1, 2]);
    let running = app.submit(nap { millis: 100 }).await.unwrap();
    until(&running, TaskStatus::Running).await;
    assert_eq!(app.tasks().retry(running.id()).await.unwrap(), Controlled::Refused(TaskStatus::Running));
}

#[tokio::test(start_paused = true)]
async fn operations_on_many() {
    const MANY: u64 = 1_234;
    let app = started().await;
    let tasks = app.tasks();
    app.tasks().pause("default").await.unwrap();
    for number in 0..MANY {
        app.submit(nap { millis: 0 })
            .tags([if number % 2 == 0 { "even" } else { "odd" }])
            .delay(secs(9_000))
            .await
            .unwrap();
    }
    let even = || Filter::all().tag("even");
    let bulk = |applied, requested, refused| {
        let mut bulk = Bulk::default();
        (bulk.applied, bulk.requested, bulk.refused) = (applied, requested, refused);
        bulk
    };
    let half = MANY / 2;
    assert_eq!(tasks.bulk(even(), Operation::Reprioritise(Priority::MAX)).await.unwrap(), bulk(half, 0, 0));
    let statistics = tasks.statistics().await.unwrap();
    assert_eq!((statistics.priorities[&10].total(), statistics.priorities[&0].total()), (half, half));
    assert_eq!(tasks.bulk(even(), Operation::RunNow).await.unwrap(), bulk(half, 0, 0));
    assert_eq!(tasks.statistics().await.unwrap().now.get(TaskStatus::Pending), half);
    assert_eq!(tasks.bulk(even(), Operation::Retry).await.unwrap(), bulk(0, 0, half), "none is finished");
    app.tasks().resume("default").await.unwrap();
    tasks.wait_idle().await.unwrap();
    assert_eq!(tasks.bulk(even(), Operation::RunNow).await.unwrap(), bulk(0, 0, half), "all are finished");
    assert_eq!(tasks.bulk(even(), Operation::Retry).await.unwrap(), bulk(half, 0, 0));
    tasks.wait_idle().await.unwrap();
    let again = all(&app, even()).await;
    assert!(again.iter().all(|it| (it.run, it.status) == (2, TaskStatus::Success)));
    assert_eq!(tasks.bulk(Filter::all(), Operation::Cancel).await.unwrap(), bulk(half, 0, half));
    assert_eq!(tasks.bulk(even(), Operation::Delete).await.unwrap(), bulk(half, 0, 0));
    assert_eq!(all(&app, Filter::all()).await.len() as u64, half);
    let running = app.submit(nap { millis: 60_000 }).await.unwrap();
    until(&running, TaskStatus::Running).await;
    assert_eq!(tasks.bulk(Filter::all().name("nap"), Operation::Cancel).await.unwrap(), bulk(0, 1, half));
    assert!(matches!(running.result().await, Err(ResultError::Cancelled)));
    assert_eq!(tasks.bulk(Filter::all().tag("none"), Operation::Cancel).await.unwrap(), Bulk::default());
}

#[tokio::test(start_paused = true)]
async fn idle_means_that_nothing_is_left_to_do_now() {
    let app = builder().build().await.unwrap();
    app.tasks().wait_idle().await.unwrap();
    app.start_workers().await.unwrap();
    let began = Instant::now();
    for millis in [100, 900, 300] {
        app.submit(nap { millis }).await.unwrap();
    }
    app.submit(fail { millis: 200 }).max_attempts(3).await.unwrap();
    app.submit(nap { millis: 0 }).delay(secs(7_200)).await.unwrap();
    app.tasks().wait_idle().await.unwrap();
    assert!(began.elapsed() >= millis(900) && began.elapsed() < secs(100), "{:?}", began.elapsed());
    let now = app.tasks().statistics().await.unwrap().now;
    assert_eq!((now.get(TaskStatus::Success), now.get(TaskStatus::Failed), now.get(TaskStatus::Delayed)), (3, 1, 1));
    assert_eq!(now.total(), 5);
    let held = held(&app, 1).await;
    assert!(timeout(secs(10), app.tasks().wait_idle()).await.is_err(), "a paused queue has work left");
    held[0].cancel().await.unwrap();
    app.tasks().wait_idle().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn transitions_come_in_order_and_tell_how_many_were_missed() {
    let mut settings = ddd_core::Settings::default();
    settings.transitions_buffer = 64;
    let app = testing::builder().definitions(definitions()).settings(settings).build().await.unwrap();
    app.submit(nap { millis: 0 }).await.unwrap();
    app.start_workers().await.unwrap();
    app.tasks().wait_idle().await.unwrap();
    let mut transitions = app.tasks().transitions();
    assert_eq!(transitions.try_next(), Ok(None), "from now on");
    let body = app.submit(fail { millis: 10 }).max_attempts(2).await.unwrap();
    assert!(body.result().await.is_err());
    let mut seen = Vec::new();
    while let Ok(Some(it)) = transitions.try_next() {
        assert_eq!((it.id, it.name.as_str(), it.queue.as_str(), it.run), (body.id(), "fail", "faults", 1));
        seen.push((it.from, it.to, it.attempt));
    }
    use TaskStatus::{Failed, Pending, Retrying, Running};
    let expected = [
        (None, Pending, 0),
        (Some(Pending), Running, 1),
        (Some(Running), Retrying, 1),
        (Some(Retrying), Pending, 1),
        (Some(Pending), Running, 2),
        (Some(Running), Failed, 2),
    ];
    assert_eq!(seen, expected);

    for _ in 0..100 {
        app.submit(echo { text: String::new() }).await.unwrap();
    }
    app.tasks().wait_idle().await.unwrap();
    let lagged = transitions.try_next().unwrap_err();
    assert_eq!(lagged.missed, 300 - 64, "three of each task, of which the newest are kept");
    let mut kept = 0;
    while let Ok(Some(_)) = transitions.try_next() {
        kept += 1;
    }
    assert_eq!(kept, 64);
    let next = app.submit(nap { millis: 0 }).await.unwrap();
    assert_eq!(transitions.next().await.unwrap().id, next.id(), "and it goes on");
}

#[tokio::test(start_paused = true)]
async fn every_subscriber_is_told_of_every_transition_in_the_same_order() {
    let mut settings = ddd_core::Settings::default();
    settings.transitions_buffer = 64;
    let app = testing::builder().definitions(definitions()).settings(settings).build().await.unwrap();
    app.start_workers().await.unwrap();
    let (mut first, mut lagging, mut last) =
        (app.tasks().transitions(), app.tasks().transitions(), app.tasks().transitions());
    let (mut by_first, mut by_last) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        for _ in 0..10 {
            app.submit(echo { text: String::new() }).await.unwrap();
        }
        app.tasks().wait_idle().await.unwrap();
        while let Ok(Some(it)) = first.try_next() {
            by_first.push(it);
        }
        while let Ok(Some(it)) = last.try_next() {
            by_last.push(it);
        }
    }
    assert_eq!(by_first.len(), 300, "three of each task");
    assert_eq!(by_first, by_last);
    assert_eq!(lagging.try_next().unwrap_err().missed, 300 - 64, "who does not keep up is the only one to lose any");
    let mut kept = Vec::new();
    while let Ok(Some(it)) = lagging.try_next() {
        kept.push(it);
    }
    assert_eq!(kept, by_first[300 - 64..]);
}
