//! A store with trouble: no worker ends, nothing is lost, and calls are as few as they can be.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use ddd_core::{
    App, AppBuilder, Filter, ResultError, Task, TaskId, TaskStatus, task,
    testing::{self, Fault, StoreCall},
};
use ddd_tests::kit::troubled::Troubled;

use crate::support::{
    all, builder, builder_with, echo, fail, is_nightly, millis, nap, pass, record, secs, shared_memory, until,
};

/// An application whose store the test can trouble.
fn troubled() -> (Troubled, AppBuilder) {
    let clock = Arc::new(testing::VirtualClock::start());
    let store = Troubled::new(shared_memory(&clock).0);
    let app = builder().clock(clock).shared_store(Arc::new(store.clone()));
    (store, app)
}

async fn start(builder: AppBuilder) -> App {
    let app = builder.build().await.unwrap();
    app.start_workers().await.unwrap();
    app
}

/// A plan by chance. Claims are spared lost answers: what such a claim took is in nobody's hands until its lease ends.
fn chance(seed: u64) -> impl FnMut(StoreCall) -> Fault + Send {
    let mut random = fastrand::Rng::with_seed(seed);
    move |method| match random.u32(..100) {
        0..15 => Fault::Fails,
        15..25 if method != StoreCall::Claim => Fault::AnswerLost,
        25..35 => Fault::Late(millis(random.u64(1..300))),
        35..45 => Fault::LateAnswer(millis(random.u64(1..300))),
        45..47 => Fault::Hangs,
        // Longer than is waited for: the answer comes when nobody expects it any more.
        47 => Fault::LateAnswer(secs(7)),
        _ => Fault::None,
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_and_no_worker_ends() {
    for seed in 0..if is_nightly() { 200 } else { 12 } {
        let (store, builder) = troubled();
        let app = start(builder.slots(4)).await;
        store.plan(chance(seed));
        let mut accepted = Vec::new();
        for number in 0..100 {
            match app.submit(nap { millis: number % 50 }).await {
                Ok(handle) => accepted.push(handle.id()),
                Err(error) => assert!(matches!(error, ddd_core::SubmitError::Store(_)), "seed {seed}: {error}"),
            }
        }
        pass(secs(20)).await;
        store.calm();
        for id in &accepted {
            app.tasks().handle::<()>(*id).result().await.unwrap_or_else(|it| panic!("seed {seed}: {id}: {it}"));
        }
        app.tasks().wait_idle().await.unwrap();
        let statistics = app.tasks().statistics().await.unwrap();
        assert_eq!(statistics.now.get(TaskStatus::Success), statistics.submitted, "seed {seed}");
        assert_eq!(statistics.now.total(), statistics.submitted, "seed {seed}");
        assert!(statistics.submitted >= accepted.len() as u64, "seed {seed}");
        all_slots_work(&app, 4).await;
        testing::shutdown(&app).await;
    }
}

/// So many bodies run at once.
async fn all_slots_work(app: &App, slots: usize) {
    let mut bodies = Vec::new();
    for _ in 0..slots {
        bodies.push(app.submit(nap { millis: 5_000 }).await.unwrap());
    }
    for body in &bodies {
        until(body, TaskStatus::Running).await;
    }
    assert_eq!(app.running(), slots);
    for body in &bodies {
        body.result().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_away_is_asked_less_and_less_often() {
    let (store, builder) = troubled();
    let app = start(builder.slots(8)).await;
    store.plan(|_| Fault::Fails);
    let before = store.sizes(StoreCall::Claim).len();
    pass(secs(300)).await;
    let claims = store.sizes(StoreCall::Claim).len() - before;
    // One look each second is the poll; each that fails is repeated once pauses have grown to between 2.5 and 5 s.
    assert!((30..1_000).contains(&claims), "{claims} claims in 300 s");
    store.calm();
    assert_eq!(app.submit(echo { text: "back".into() }).await.unwrap().result().await.unwrap(), "back");
    all_slots_work(&app, 8).await;
}

#[tokio::test(start_paused = true)]
async fn ends_are_reported_together_where_the_store_is_slow() {
    let (store, builder) = troubled();
    let app = start(builder.slots(64)).await;
    let mut bodies = Vec::new();
    for _ in 0..64 {
        bodies.push(app.submit(nap { millis: 100 }).await.unwrap());
    }
    for body in &bodies {
        until(body, TaskStatus::Running).await;
    }
    store.plan(|method| if method == StoreCall::Finish { Fault::Late(millis(200)) } else { Fault::None });
    for body in &bodies {
        body.result().await.unwrap();
    }
    let sizes = store.sizes(StoreCall::Finish);
    assert_eq!(sizes.iter().sum::<usize>(), 64);
    // The first goes at once; those that end while it is under way go together.
    assert!(sizes.len() <= 4 && sizes.iter().max().is_some_and(|it| *it >= 30), "{sizes:?}");
}

#[tokio::test(start_paused = true)]
async fn claims_take_as_many_as_there_are_free_slots() {
    let (store, builder) = troubled();
    let app = start(builder.slots(16)).await;
    pass(secs(3)).await;
    store.plan(|method| if method == StoreCall::Claim { Fault::Late(millis(50)) } else { Fault::None });
    let bodies = app.submit_many((0..64).map(|_| nap { millis: 20 })).await.unwrap();
    for body in bodies {
        body.unwrap().result().await.unwrap();
    }
    let sizes = store.handed_out();
    assert_eq!(sizes.iter().sum::<usize>(), 64);
    assert_eq!(sizes[0], 16, "the first claim fills all slots: {sizes:?}");
    assert!(sizes.len() <= 10, "{sizes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_an_end_changes_nothing() {
    let failures = Arc::new(Mutex::new(Vec::new()));
    let (store, builder) = troubled();
    let seen = failures.clone();
    let app = start(builder.on_failure(move |it| seen.lock().unwrap().push((it.id, it.attempt)))).await;
    let mut left = 2;
    store.plan(move |method| match method {
        StoreCall::Finish if left > 0 => {
            left -= 1;
            Fault::AnswerLost
        }
        _ => Fault::None,
    });
    let failing = app.submit(fail { millis: 1 }).await.unwrap();
    assert!(matches!(failing.result().await, Err(ResultError::Failed(_))));
    while store.sizes(StoreCall::Finish).len() < 3 {
        pass(millis(10)).await;
    }
    let text = app.submit(echo { text: "fine".into() }).await.unwrap();
    assert_eq!(text.result().await.unwrap(), "fine");
    assert_eq!((record(&failing).await.attempt, record(&failing).await.errors.len()), (1, 1));
    pass(secs(1)).await;
    assert_eq!(*failures.lock().unwrap(), [(failing.id(), 1)], "who waits for failures is told once");
    let statistics = app.tasks().statistics().await.unwrap();
    assert_eq!(statistics.finished.total(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_answered_too_late_is_given_back() {
    let (store, builder) = troubled();
    let app = start(builder.slots(2)).await;
    pass(secs(2)).await;
    let mut left = 1;
    store.plan(move |method| match method {
        StoreCall::Claim if left > 0 => {
            left -= 1;
            Fault::LateAnswer(secs(8))
        }
        _ => Fault::None,
    });
    let began = tokio::time::Instant::now();
    let body = app.submit(echo { text: "late".into() }).await.unwrap();
    assert_eq!(body.result().await.unwrap(), "late");
    assert!(began.elapsed() < secs(12), "it does not wait for the lease to end: {:?}", began.elapsed());
    let record = record(&body).await;
    assert_eq!((record.attempt, record.crashes), (1, 0));
    assert!(record.errors.is_empty());
}

#[task]
async fn guarded(#[inject] alive: &Arc<AtomicUsize>, #[inject] most: &Most) {
    let guard = Guard::new(alive.clone());
    most.0.fetch_max(alive.load(Ordering::SeqCst), Ordering::SeqCst);
    pass(secs(40)).await;
    drop(guard);
}

#[derive(Clone, Debug, Default)]
struct Most(Arc<AtomicUsize>);

struct Guard(Arc<AtomicUsize>);

impl Guard {
    fn new(alive: Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self(alive)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_lease_ends_the_body() {
    let clock = Arc::new(testing::VirtualClock::start());
    let (memory, _) = shared_memory(&clock);
    // It gives no hints: that the lease is lost must come with a heartbeat.
    let store = Troubled::deaf(memory.clone());
    let (mine, others) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let most = Most::default();
    let build = |alive: &Arc<AtomicUsize>| {
        builder_with([guarded::definition()]).clock(clock.clone()).provide(alive.clone()).provide(most.clone())
    };
    let first = start(build(&mine).store(store.clone())).await;
    let body = first.submit(guarded {}).await.unwrap();
    while mine.load(Ordering::SeqCst) == 0 {
        pass(millis(10)).await;
    }
    store.plan(|method| if method == StoreCall::Heartbeat { Fault::Fails } else { Fault::None });
    let second = start(build(&others).store(memory)).await;
    while others.load(Ordering::SeqCst) == 0 {
        pass(millis(10)).await;
    }
    assert_eq!(mine.load(Ordering::SeqCst), 1, "cut off, the first process cannot know");
    store.calm();
    pass(secs(6)).await;
    assert_eq!(mine.load(Ordering::SeqCst), 0, "told by its heartbeat, it ends the body");
    until(&body, TaskStatus::Success).await;
    let record = second.tasks().get(body.id()).await.unwrap().unwrap();
    assert_eq!((record.crashes, record.attempt, record.run), (1, 1, 1));
    assert_eq!(second.tasks().statistics().await.unwrap().finished.total(), 1);
    body.result().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn missed_heartbeats_are_made_up_for_before_the_lease_ends() {
    let clock = Arc::new(testing::VirtualClock::start());
    let (memory, _) = shared_memory(&clock);
    let store = Troubled::new(memory.clone());
    let first = start(builder().clock(clock.clone()).store(store.clone())).await;
    let body = first.submit(nap { millis: 600_000 }).timeout(secs(1_200)).await.unwrap();
    until(&body, TaskStatus::Running).await;
    // This one would take the task as soon as its lease has ended.
    let second = start(builder().clock(clock).store(memory)).await;
    let mut number = 0;
    store.plan(move |method| match method {
        StoreCall::Heartbeat => {
            number += 1;
            if number % 5 == 0 { Fault::None } else { Fault::Fails }
        }
        _ => Fault::None,
    });
    body.result().await.unwrap();
    assert_eq!((record(&body).await.crashes, record(&body).await.fence.get()), (0, 1));
    testing::shutdown(&second).await;
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test(start_paused = true)]
async fn a_submission_that_is_dropped_half_way_is_stored_or_not() {
    let (store, builder) = troubled();
    let app = start(builder).await;
    for trouble in [Fault::Late(secs(1)), Fault::LateAnswer(secs(1)), Fault::AnswerLost, Fault::Fails] {
        for polls in 0..3 {
            store.plan(move |method| if method == StoreCall::Enqueue { trouble } else { Fault::None });
            let before = store.sizes(StoreCall::Enqueue).len();
            let mut submitting = Box::pin(app.submit(echo { text: format!("{trouble:?}{polls}") }).into_future());
            for _ in 0..polls {
                if poll_once(submitting.as_mut()).is_ready() {
                    break;
                }
            }
            drop(submitting);
            assert_eq!(store.sizes(StoreCall::Enqueue).len(), before + 1);
            store.calm();
            pass(secs(3)).await;
            let name = format!("{trouble:?}{polls}");
            let found = texts(&app).await.into_iter().filter(|it| it.1 == name).collect::<Vec<_>>();
            let wanted = usize::from(!matches!(trouble, Fault::Fails));
            assert_eq!(found.len(), wanted, "{name}");
            for (id, _) in found {
                assert_eq!(app.tasks().handle::<String>(id).result().await.unwrap(), name, "and it runs");
            }
        }
    }
    let before = store.sizes(StoreCall::Enqueue).len();
    drop(app.submit(echo { text: "never".into() }));
    assert_eq!(store.sizes(StoreCall::Enqueue).len(), before, "what is not awaited is not submitted");
}

async fn texts(app: &App) -> Vec<(TaskId, String)> {
    let records = all(app, Filter::all().name("echo")).await;
    let text =
        |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap()["text"].as_str().unwrap().to_owned();
    records.iter().map(|it| (it.id, text(it.params.get()))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_start_that_the_store_does_not_take_can_be_tried_again() {
    for failing in [StoreCall::Declare, StoreCall::Schedules] {
        let (store, builder) = troubled();
        let app = builder.definitions([echo::definition(), ticking::definition()]).build().await.unwrap();
        let body = app.submit(echo { text: "x".into() }).await.unwrap();
        store.plan(move |it| if it == failing { Fault::Fails } else { Fault::None });
        app.start_workers().await.unwrap_err();
        pass(secs(30)).await;
        let before = store.sizes(StoreCall::Claim).len();
        pass(secs(30)).await;
        assert_eq!(store.sizes(StoreCall::Claim).len(), before, "{failing:?}: half a start is none");
        store.calm();
        app.start_workers().await.unwrap();
        assert_eq!(body.result().await.unwrap(), "x");
        testing::shutdown(&app).await;
    }
}

#[task(schedule(every = "1h"))]
async fn ticking() {}
