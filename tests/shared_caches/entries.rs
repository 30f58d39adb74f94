//! What processes have in common, and for how long.

use std::sync::{Arc, atomic::Ordering};

use ddd_core::{PolicyKind, policies};
use futures_util::{FutureExt, future::join_all};
use tokio::{task::yield_now, time::advance};

use crate::support::{Failed, Far, MINUTE, PROFILES, Process, Source, lent, profile, store, two};

#[tokio::test(start_paused = true)]
async fn what_one_process_made_another_is_given() {
    let (store, source) = (store(), Source::new(10));
    let (a, b) = two(&store).await;
    assert_eq!(a.value(1, &source).await, 10);
    source.set(11);
    assert_eq!(b.value(1, &source).await, 10);
    assert_eq!(source.runs(), 1);
    assert_eq!(a.shared("profile").await, (0, 1, 0));
    assert_eq!(b.shared("profile").await, (1, 0, 0));
    assert_eq!(b.figure("profile", "fills").await, 0, "no body ran there");
    assert_eq!(b.value(1, &source).await, 10);
    assert_eq!(b.shared("profile").await, (1, 0, 0), "its own copy answers");
    assert_eq!(b.figure("profile", "hits").await, 1);
    assert_eq!(a.value(2, &source).await, 11, "another key is another entry");
    assert_eq!(store.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_borrowed_argument_makes_no_difference() {
    let (store, source) = (store(), Source::new(10));
    let (a, b) = two(&store).await;
    assert_eq!(a.run(lent(1, &source)).await, 10);
    assert_eq!(b.run(lent(1, &source)).await, 10);
    assert_eq!((source.runs(), b.shared("lent").await), (1, (1, 0, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_value_is_as_old_everywhere() {
    let (store, source) = (store(), Source::new(10));
    let (a, b) = two(&store).await;
    a.value(1, &source).await;
    advance(45 * MINUTE).await;
    assert_eq!(b.value(1, &source).await, 10);
    source.set(11);
    advance(16 * MINUTE).await;
    assert_eq!(b.value(1, &source).await, 11, "61 minutes after the fill, 16 after it came here");
    assert_eq!(source.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_over_is_gone_from_the_store() {
    let (store, source) = (store(), Source::new(10));
    let a = Process::over(store.clone()).await;
    a.run(lent(1, &source)).await;
    a.value(1, &source).await;
    assert_eq!(store.len(), 2);
    advance(61 * MINUTE).await;
    assert_eq!(store.len(), 1, "one may stand in for a failure for two hours more");
    advance(120 * MINUTE).await;
    assert!(store.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_caller_asks_for_all_who_wait() {
    let (store, source) = (store(), Source::new(10));
    Process::over(store.clone()).await.value(1, &source).await;
    let far = Far::new(&store, 5);
    let b = Process::over(far.clone()).await;
    b.run(join_all((0..1_000).map(|_| profile(1, source.clone())))).await.into_iter().for_each(|it| {
        assert_eq!(it.unwrap().value, 10);
    });
    assert_eq!((source.runs(), far.asked.load(Ordering::SeqCst)), (1, 1));
    b.run(join_all((0..1_000).map(|_| profile(2, source.clone())))).await;
    assert_eq!(source.runs(), 2);
    assert_eq!(far.asked.load(Ordering::SeqCst), 3, "asked, and given what the body made");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_dropped_while_the_store_is_asked_harms_nobody() {
    let (store, source) = (store(), Source::new(10));
    let far = Far::new(&store, 0);
    let a = Process::over(far.clone()).await;
    far.hangs.store(true, Ordering::SeqCst);
    a.run(async {
        let mut first = Box::pin(lent(1, &source));
        assert!(first.as_mut().now_or_never().is_none());
        let mut second = Box::pin(lent(1, &source));
        assert!(second.as_mut().now_or_never().is_none());
        drop(first);
        far.hangs.store(false, Ordering::SeqCst);
        assert_eq!(second.await, 10);
    })
    .await;
    assert_eq!(source.runs(), 1);
    assert_eq!(store.len(), 1, "who took over asked anew, so that its value could be stored");
}

#[tokio::test(start_paused = true)]
async fn a_detached_fill_survives_its_caller_from_the_question_on() {
    let (store, source) = (store(), Source::new(10));
    let far = Far::new(&store, 3);
    let a = Process::over(far).await;
    a.run(async {
        for _ in 0..20 {
            let _ = Box::pin(profile(1, source.clone())).as_mut().now_or_never();
        }
    })
    .await;
    while store.is_empty() {
        yield_now().await;
    }
    assert_eq!(source.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn errors_stay_in_their_process() {
    let (store, source) = (store(), Source::new(10));
    let (a, b) = two(&store).await;
    source.is_broken.store(true, Ordering::SeqCst);
    for _ in 0..2 {
        assert_eq!(a.run(profile(1, source.clone())).await, Err(Failed));
    }
    assert_eq!(source.runs(), 1, "this process remembers it");
    assert!(store.is_empty());
    source.is_broken.store(false, Ordering::SeqCst);
    assert_eq!(b.value(1, &source).await, 10);
}

#[tokio::test(start_paused = true)]
async fn an_old_value_of_the_store_stands_in_for_a_failure() {
    let (store, source) = (store(), Source::new(10));
    let (a, b) = two(&store).await;
    a.value(1, &source).await;
    advance(90 * MINUTE).await;
    source.is_broken.store(true, Ordering::SeqCst);
    assert_eq!(b.value(1, &source).await, 10);
    assert_eq!((source.runs(), b.figure("profile", "stale_served").await), (2, 1));
    assert_eq!(b.value(1, &source).await, 10);
    assert_eq!(source.runs(), 3, "it is not taken for a fresh one");
    source.is_broken.store(false, Ordering::SeqCst);
    source.set(11);
    assert_eq!(b.value(1, &source).await, 11);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_takes_what_another_process_refreshed() {
    let (store, source) = (store(), Source::new(10));
    let (a, b) = two(&store).await;
    a.value(1, &source).await;
    b.value(1, &source).await;
    source.set(11);
    advance(55 * MINUTE).await;
    assert_eq!(a.value(1, &source).await, 10, "served, and refreshed in the background");
    while source.runs() < 2 || a.figure("profile", "running_fills").await > 0 {
        yield_now().await;
    }
    assert_eq!(b.value(1, &source).await, 10, "served");
    while b.figure("profile", "running_fills").await > 0 {
        yield_now().await;
    }
    assert_eq!(b.value(1, &source).await, 11);
    assert_eq!(source.runs(), 2, "the other process had done it");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_by_hand_runs_the_body() {
    let (store, source) = (store(), Source::new(10));
    let (a, b) = two(&store).await;
    a.value(1, &source).await;
    source.set(11);
    a.run(PROFILES.refresh(&1)).await;
    assert_eq!(a.value(1, &source).await, 10);
    while source.runs() < 2 || a.figure("profile", "running_fills").await > 0 {
        yield_now().await;
    }
    assert_eq!(a.value(1, &source).await, 11);
    assert_eq!(b.value(1, &source).await, 11, "the store has it, too");
    assert_eq!(source.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn to_clear_it_by_name_clears_the_store() {
    let (store, source) = (store(), Source::new(10));
    let (a, b) = two(&store).await;
    a.value(1, &source).await;
    b.value(1, &source).await;
    a.run(async { policies().clear("profile", Some(PolicyKind::Cached)).unwrap() }).await;
    while !store.is_empty() {
        yield_now().await;
    }
    source.set(11);
    for process in [&b, &a] {
        assert_eq!(process.value(1, &source).await, 11);
    }
    let figures = a.run(async { policies().get("profile").unwrap().remove(0).figures }).await;
    assert!(figures.contains_key("shared_hits"), "{figures:?}");
    drop(Arc::clone(&source));
}
