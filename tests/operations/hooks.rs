//! What runs around bodies, what is told of failures, what a body knows of itself; and what an idle application costs.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    task::Poll,
    time::Duration,
};

use ddd_core::{
    Priority, ResultError, Retry, Task, TaskContext, TaskOverrides, TaskStatus,
    domain::Origin,
    ports::Failure,
    task,
    testing::{self, StoreCall},
};
use ddd_tests::kit::troubled::Troubled;

use crate::support::{builder, builder_with, echo, fail, millis, nap, pass, record, secs, shared_memory};

type Notes = Arc<Mutex<Vec<String>>>;

fn note(notes: &Notes, text: impl Into<String>) {
    notes.lock().unwrap().push(text.into());
}

fn taken(notes: &Notes) -> Vec<String> {
    std::mem::take(&mut notes.lock().unwrap())
}

#[task]
async fn noted(text: String, #[inject] notes: &Notes) {
    note(notes, format!("body {text}"));
}

#[task]
fn noted_on_a_thread(text: String, #[inject] notes: &Notes) {
    note(notes, format!("thread {text}"));
}

#[tokio::test(start_paused = true)]
async fn hooks_are_around_the_body_the_first_outermost() {
    let notes = Notes::default();
    let mut app = builder_with([noted::definition(), noted_on_a_thread::definition()]).provide(notes.clone());
    for name in ["outer", "inner"] {
        let notes = notes.clone();
        app = app.around(move |context, body| {
            let notes = notes.clone();
            Box::pin(async move {
                note(&notes, format!("{name} before {}", context.info().name));
                let result = body.await;
                note(&notes, format!("{name} after {}", result.is_ok()));
                result
            })
        });
    }
    let app = app.build().await.unwrap();
    app.start_workers().await.unwrap();
    app.submit(noted { text: "a".into() }).await.unwrap().result().await.unwrap();
    let expected = |name: &str, body: &str| {
        [&format!("outer before {name}"), &format!("inner before {name}"), body, "inner after true", "outer after true"]
            .map(ToString::to_string)
    };
    assert_eq!(taken(&notes), expected("noted", "body a"));
    app.submit(noted_on_a_thread { text: "b".into() }).await.unwrap().result().await.unwrap();
    assert_eq!(taken(&notes), expected("noted_on_a_thread", "thread b"));
    app.execute(noted { text: "c".into() }).await.unwrap();
    assert_eq!(taken(&notes), expected("noted", "body c"), "inline runs have them too");
    let failing = app.submit(fail { millis: 0 }).await.unwrap();
    assert!(failing.result().await.is_err());
    assert_eq!(taken(&notes)[2..], ["inner after false", "outer after false"]);
}

#[tokio::test(start_paused = true)]
async fn a_hook_decides_how_the_body_ends() {
    let app = builder().around(|context, body| {
        Box::pin(async move {
            if context.info().priority == Priority::MIN {
                return Err(Failure::permanent(ddd_core::domain::FailureKind::Error, "not today".to_owned()));
            }
            assert!(context.info().priority != Priority::MAX, "a hook that panics");
            body.await
        })
    });
    let app = app.build().await.unwrap();
    app.start_workers().await.unwrap();
    let refused = app.submit(echo { text: "x".into() }).priority(Priority::MIN).await.unwrap();
    let Err(ResultError::Failed(error)) = refused.result().await else { panic!("the body ran") };
    assert_eq!(error.message, "not today");
    let panicked = app.submit(echo { text: "x".into() }).priority(Priority::MAX).await.unwrap();
    let Err(ResultError::Failed(error)) = panicked.result().await else { panic!("the body ran") };
    assert!(error.message.contains("a hook that panics"), "{}", error.message);
    assert_eq!(app.submit(echo { text: "x".into() }).await.unwrap().result().await.unwrap(), "x");
}

#[task]
fn held_up(#[inject] release: &Release) {
    release.1.store(true, Ordering::SeqCst);
    release.0.lock().unwrap().recv().unwrap();
}

/// What a blocking body waits for, and whether it has begun.
struct Release(Mutex<mpsc::Receiver<()>>, Arc<AtomicBool>);

#[tokio::test(start_paused = true)]
async fn a_hook_can_keep_a_blocking_body_from_running_but_not_leave_it_behind() {
    let ((sender, receiver), has_begun) = (mpsc::channel(), Arc::new(AtomicBool::new(false)));
    let app = builder_with([held_up::definition()]).provide(Release(Mutex::new(receiver), has_begun.clone())).around(
        |context, mut body| {
            Box::pin(async move {
                if context.info().priority == Priority::MAX {
                    // Begun, and left.
                    let has_ended = std::future::poll_fn(|cx| Poll::Ready(body.as_mut().poll(cx).is_ready())).await;
                    assert!(!has_ended, "it waits for its release");
                }
                Err(Failure::permanent(ddd_core::domain::FailureKind::Error, "left".to_owned()))
            })
        },
    );
    let app = app.build().await.unwrap();
    app.start_workers().await.unwrap();
    assert!(app.submit(held_up {}).await.unwrap().result().await.is_err());
    assert!(!has_begun.load(Ordering::SeqCst), "what a hook does not await does not run");
    let left = app.submit(held_up {}).priority(Priority::MAX).await.unwrap();
    while !has_begun.load(Ordering::SeqCst) {
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((crate::support::status(&left).await, app.running()), (TaskStatus::Running, 1), "it holds its slot");
    sender.send(()).unwrap();
    let Err(ResultError::Failed(error)) = left.result().await else { panic!("the hook decides") };
    assert_eq!(error.message, "left");
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_once_for_each_failed_run() {
    let notes = Notes::default();
    let (first, second) = (notes.clone(), notes.clone());
    let app = builder()
        .on_failure(move |it| {
            note(&first, format!("{} {} {} {} {}", it.name, it.run, it.attempt, it.status, it.error.message));
        })
        .on_failure(|it| panic!("told of {}", it.id))
        .on_failure(move |it| note(&second, format!("{} after a panic", it.name)))
        .override_task("fail", TaskOverrides::new().retry(Retry::attempts(3)))
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    let body = app.submit(fail { millis: 0 }).await.unwrap();
    assert!(body.result().await.is_err());
    assert_eq!(taken(&notes), ["fail 1 3 failed no luck", "fail after a panic"], "not for attempts that are followed");
    app.tasks().retry(body.id()).await.unwrap();
    app.tasks().wait_idle().await.unwrap();
    assert_eq!(taken(&notes), ["fail 2 3 failed no luck", "fail after a panic"]);
    let late = app.submit(nap { millis: 500 }).timeout(millis(10)).await.unwrap();
    assert!(late.result().await.is_err());
    assert_eq!(taken(&notes)[0], "nap 1 1 timeout ran over its timeout of 10ms");
    let cancelled = app.submit(nap { millis: 500 }).await.unwrap();
    cancelled.cancel().await.unwrap();
    assert!(cancelled.result().await.is_err());
    app.submit(nap { millis: 0 }).await.unwrap().result().await.unwrap();
    assert_eq!(taken(&notes), [""; 0], "neither for what was cancelled nor for what went well");
}

#[task(retry(max_attempts = 4))]
async fn curious(#[inject] context: TaskContext, #[inject] notes: &Notes) -> Result<(), String> {
    let info = context.info();
    let origin = info.origin.as_ref().and_then(|it| it.request_id.clone()).unwrap_or_default();
    note(notes, format!("{} {} {} {}", info.name, info.queue, info.priority, info.max_attempts));
    note(notes, format!("{} {} {} {origin}", context.run(), context.attempt(), context.fence()));
    note(notes, format!("{:?} {:?}", info.deadline.since(info.due), info.due.since(info.created_at)));
    assert_eq!(context.id(), info.id);
    assert!(!context.is_cancelled());
    context.progress(0.25, "a quarter");
    if context.attempt() == 1 { Err("again".to_owned()) } else { Ok(()) }
}

#[tokio::test(start_paused = true)]
async fn a_body_knows_its_attempt() {
    let notes = Notes::default();
    let app = builder_with([curious::definition()]).provide(notes.clone());
    let retry = Retry::attempts(4).jitter(false).delay(secs(1));
    let app = app.override_task("curious", TaskOverrides::new().retry(retry)).build().await.unwrap();
    app.start_workers().await.unwrap();
    let mut origin = Origin::default();
    origin.request_id = Some("r-1".to_owned());
    let body = app.submit(curious {}).queue("faults").priority(Priority::clamped(3)).delay(secs(2)).timeout(secs(9));
    let body = body.origin(origin).await.unwrap();
    let mut transitions = app.tasks().transitions();
    body.result().await.unwrap();
    let expected = ["curious faults 3 4", "1 1 1 r-1", "9s 2s", "curious faults 3 4", "1 2 2 r-1", "9s 3s"];
    assert_eq!(taken(&notes), expected);
    let record = record(&body).await;
    let progress = record.progress.unwrap();
    assert_eq!((progress.fraction, progress.message.as_str()), (0.25, "a quarter"));
    let mut reports = 0;
    while let Ok(Some(transition)) = transitions.try_next() {
        reports += usize::from(transition.progress.is_some_and(|it| it.message == "a quarter"));
    }
    assert_eq!(reports, 2, "progress is in the stream");
    assert_eq!(record.errors.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_idle_application_looks_once_in_a_while() {
    let clock = Arc::new(testing::VirtualClock::start());
    let store = Troubled::new(shared_memory(&clock).0);
    let app = builder()
        .settings(ddd_core::Settings::default())
        .clock(clock)
        .store(store.clone())
        .slots(16)
        .build()
        .await
        .unwrap();
    app.start_workers().await.unwrap();
    app.submit(nap { millis: 1 }).await.unwrap().result().await.unwrap();
    // Something far in the future is no reason to look more often.
    let later = app.submit(nap { millis: 0 }).delay(secs(100_000)).await.unwrap();
    pass(secs(5)).await;
    let count = |store: &Troubled| {
        [StoreCall::Claim, StoreCall::Heartbeat, StoreCall::Schedules, StoreCall::Reap].map(|it| store.sizes(it).len())
    };
    let before = count(&store);
    pass(Duration::from_secs(1_000)).await;
    let after = count(&store);
    let [claims, beats, schedules, reaps] = std::array::from_fn(|it| after[it] - before[it]);
    assert!((900..=1_200).contains(&claims), "{claims} claims in 1,000 s, one each second by default");
    assert!((190..=240).contains(&beats) && reaps == beats, "{beats} heartbeats and {reaps} reaps, one each 5 s");
    assert!((30..=40).contains(&schedules), "{schedules} looks at the schedules, one each 30 s");
    assert_eq!(crate::support::status(&later).await, TaskStatus::Delayed);
}
