//! Slots that claim several tasks at once: nothing waits behind a body for long, and no wake-up is lost.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use ddd_core::{Filter, Settings, Task, TaskStatus, task};

use crate::support::{Seed, real_app, soon};

#[task]
async fn quick() {}

/// Computes for a while and never awaits: long enough that whoever looks after it is let run, on a busy machine too.
#[task]
async fn computes() {
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(30) {
        std::hint::spin_loop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_computes_for_long_gives_back_what_waits_behind_it() {
    let app = real_app(&[quick::definition(), computes::definition()]).slots(1).build().await.unwrap();
    for _ in 0..400 {
        app.submit(quick {}).await.unwrap();
    }
    for _ in 0..3 {
        app.submit(computes {}).await.unwrap();
        for _ in 0..5 {
            app.submit(quick {}).await.unwrap();
        }
    }
    app.start_workers().await.unwrap();
    soon(app.tasks().wait_idle()).await.unwrap();
    let records = app.tasks().list(Filter::all(), None, 1_000).await.unwrap().items;
    assert!(records.iter().all(|it| it.status == TaskStatus::Success && it.attempt == 1), "no attempt was consumed");
    let given_back = records.iter().filter(|it| it.fence.get() > 1).count();
    assert!(given_back > 0, "nothing was given back");
}

static RAN: AtomicUsize = AtomicUsize::new(0);

#[task]
async fn counts() {
    RAN.fetch_add(1, Ordering::SeqCst);
}

/// Nobody polls here: a task runs because its submission woke a slot, or because a slot was about to look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_submission_is_overlooked() {
    let mut settings = Settings::default();
    settings.poll_interval = Duration::from_secs(3_600);
    let app = real_app(&[counts::definition()]).settings(settings).slots(4).build().await.unwrap();
    app.start_workers().await.unwrap();
    // All of it takes a second; handles that have to ask the store for themselves would take minutes.
    soon(async {
        for seed in Seed::rounds(1) {
            let mut random = seed.random();
            let mut submitted = 0;
            for _ in 0..1_500 {
                let burst = if random.bool() { 1 } else { random.usize(1..200) };
                let mut handles = Vec::new();
                for _ in 0..burst {
                    handles.push(app.submit(counts {}).await.unwrap());
                }
                submitted += burst;
                for handle in handles {
                    handle.result().await.unwrap();
                }
                assert_eq!(RAN.load(Ordering::SeqCst), submitted);
                for _ in 0..random.u32(0..30) {
                    tokio::task::yield_now().await;
                }
            }
        }
    })
    .await;
    app.shutdown(Duration::from_secs(5)).await;
}

/// A process that only submits: nobody looks but the subscriber.
#[tokio::test]
async fn a_subscriber_hears_of_submissions_that_nobody_runs() {
    let app = real_app(&[quick::definition()]).build().await.unwrap();
    let before = app.submit(quick {}).await.unwrap();
    let mut transitions = app.tasks().transitions();
    let mut expected = Vec::new();
    for _ in 0..3 {
        expected.push(app.submit(quick {}).await.unwrap().id());
    }
    for id in &expected {
        let transition = soon(transitions.next()).await.unwrap();
        assert_eq!((transition.id, transition.to), (*id, TaskStatus::Pending));
        assert_ne!(transition.id, before.id(), "what was before the subscription");
    }
    // It sleeps by now, or is about to.
    let late = tokio::spawn({
        let app = app.clone();
        async move {
            tokio::task::yield_now().await;
            app.submit(quick {}).await.unwrap().id()
        }
    });
    let heard = soon(transitions.next()).await.unwrap().id;
    assert_eq!(heard, late.await.unwrap());
    app.submit(quick {}).await.unwrap();
    assert!(transitions.try_next().unwrap().is_some(), "asked, it tells of what was just submitted");
    assert!(transitions.try_next().unwrap().is_none());
}
