//! A store that is away, slow or broken fails no call.

use std::{sync::atomic::Ordering, time::Duration};

use ddd_core::{CacheAddress, CacheStore, CacheWrite};
use futures_util::FutureExt;
use tokio::time::{Instant, advance, sleep};

use crate::support::{Far, PROFILES, Process, Source, profile, store, two};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn without_the_store_each_process_has_its_own() {
    let (store, source) = (store(), Source::new(0));
    let (a, b) = two(&store).await;
    a.value(1, &source).await;
    store.set_away(true);
    source.set(1);
    assert_eq!(b.value(1, &source).await, 1);
    assert_eq!(b.value(1, &source).await, 1);
    assert_eq!(a.value(1, &source).await, 0, "its own copy is good");
    assert_eq!((source.runs(), b.shared("profile").await), (2, (0, 0, 1)));
    store.set_away(false);
    advance(2 * SECOND).await;
    assert_eq!(b.value(2, &source).await, 1);
    assert_eq!(a.value(2, &source).await, 1);
    assert_eq!(source.runs(), 3, "they share again");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_holds_one_call_up_and_not_for_long() {
    let (store, source) = (store(), Source::new(0));
    let far = Far::new(&store, 0);
    let a = Process::over(far.clone()).await;
    far.hangs.store(true, Ordering::SeqCst);
    let began = Instant::now();
    a.value(0, &source).await;
    assert!(began.elapsed() <= Duration::from_millis(510), "{:?}", began.elapsed());
    let began = Instant::now();
    for id in 1..=1_000 {
        a.value(id, &source).await;
    }
    assert!(began.elapsed() <= Duration::from_millis(10), "{:?}", began.elapsed());
    assert_eq!(far.asked.load(Ordering::SeqCst), 1, "it is left alone for a second");
    assert_eq!(a.shared("profile").await, (0, 0, 1_001));
    far.hangs.store(false, Ordering::SeqCst);
    advance(2 * SECOND).await;
    a.value(2_000, &source).await;
    assert_eq!(store.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_value_made_without_the_store_is_not_given_to_it() {
    let (store, source) = (store(), Source::gated(0));
    let a = Process::over(store.clone()).await;
    store.set_away(true);
    let mut filling = Box::pin(a.value(1, &source));
    assert!(filling.as_mut().now_or_never().is_none());
    store.set_away(false);
    source.gate.add_permits(1);
    assert_eq!(filling.await, 0);
    assert!(store.is_empty(), "nobody knows what was invalidated meanwhile");
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_that_the_store_did_not_take_is_owed() {
    let (store, source) = (store(), Source::new(0));
    let (a, b) = two(&store).await;
    a.value(1, &source).await;
    a.value(3, &source).await;
    b.value(1, &source).await;
    store.set_away(true);
    source.set(1);
    a.run(PROFILES.invalidate(&1)).await;
    assert_eq!(a.value(1, &source).await, 1, "here it holds at once");
    store.set_away(false);
    assert_eq!(store.len(), 2);
    let mut asked = 0;
    while store.len() > 1 {
        sleep(SECOND / 10).await;
        asked += 1;
        assert!(asked < 100, "it is told in the end");
    }
    assert_eq!(b.value(1, &source).await, 1, "and so are the others");
    assert_eq!(b.value(3, &source).await, 0, "of nothing else");
}

#[tokio::test(start_paused = true)]
async fn a_process_does_not_ask_for_what_it_knows_to_be_outdated() {
    let (store, source) = (store(), Source::new(0));
    let a = Process::over(store.clone()).await;
    a.value(1, &source).await;
    store.set_away(true);
    source.set(1);
    a.run(PROFILES.put(1, Ok(crate::support::Profile { id: 1, value: 7 }))).await;
    assert_eq!(a.value(1, &source).await, 7);
    a.run(PROFILES.clear()).await;
    store.set_away(false);
    assert_eq!(a.value(1, &source).await, 1, "the store has an older one, and does not know");
    assert_eq!(source.runs(), 2);
}

#[tokio::test(start_paused = true)]
async fn whoever_owes_the_store_an_invalidation_asks_it_for_nothing() {
    let (store, source) = (store(), Source::new(0));
    let far = Far::new(&store, 0);
    let a = Process::over(far.clone()).await;
    a.value(1, &source).await;
    far.keeps_all.store(true, Ordering::SeqCst);
    source.set(1);
    a.run(PROFILES.invalidate(&1)).await;
    assert_eq!((a.value(1, &source).await, store.len()), (1, 1), "there it is the old one still");
    far.keeps_all.store(false, Ordering::SeqCst);
    sleep(20 * SECOND).await;
    assert!(store.is_empty());
    a.value(2, &source).await;
    assert_eq!(store.len(), 1, "then it is asked again");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_as_good_as_nothing() {
    let envelope = |format: u32, fingerprint: &str| {
        format!(r#"{{"format":{format},"fingerprint":"{fingerprint}","negative":false,"value":{{"id":1,"value":9}}}}"#)
    };
    let strange = [
        String::new(),
        "null".to_owned(),
        "\u{0}".to_owned(),
        envelope(1, &"0".repeat(32)),
        envelope(99, &"0".repeat(32)),
    ];
    for bytes in strange {
        let (store, source) = (store(), Source::new(0));
        let (a, b) = two(&store).await;
        let write = CacheWrite::new(CacheAddress::new("profile", "1"), bytes.clone().into_bytes(), 0);
        store.put(vec![write]).await.unwrap();
        assert_eq!(a.value(1, &source).await, 0, "{bytes:?}");
        assert_eq!(a.shared("profile").await, (0, 1, 0), "{bytes:?}");
        assert_eq!(b.value(1, &source).await, 0);
        assert_eq!(source.runs(), 1, "it was replaced: {bytes:?}");
    }
}

#[test]
fn without_a_runtime_there_is_no_store() {
    let (store, source) = (runtime().block_on(async { store() }), Source::new(0));
    let a = runtime().block_on(Process::over(store.clone()));
    // An executor that is none of tokio's.
    let made = futures_executor(a.run(profile(1, source)));
    assert_eq!(made.map(|it| it.unwrap().value), Some(0));
    assert!(store.is_empty());
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn futures_executor<T>(future: impl Future<Output = T>) -> Option<T> {
    Box::pin(future).now_or_never()
}
