//! A shared cache by hand.

use crate::support::{MINUTE, PROFILES, Process, Profile, Source, store, two};
use futures_util::FutureExt;
use tokio::time::advance;

#[tokio::test(start_paused = true)]
async fn what_is_put_in_one_process_another_gets() {
    let (store, source) = (store(), Source::new(0));
    let (a, b) = two(&store).await;
    assert_eq!(b.run(PROFILES.get(&1)).await, None);
    b.value(1, &source).await;
    let by_hand = Ok(Profile { id: 1, value: 7 });
    a.run(PROFILES.put_tagged(1, Ok(Profile { id: 1, value: 7 }), ["hand"])).await;
    assert_eq!(a.run(PROFILES.get(&1)).await, Some(by_hand.clone()));
    assert_eq!(b.run(PROFILES.get(&1)).await, Some(by_hand), "from the store");
    assert_eq!(b.value(1, &source).await, 7, "its own copy is gone");
    assert_eq!(a.value(1, &source).await, 7);
    assert_eq!(a.figure("profile", "hits").await, 1, "its own copy stays");
    b.run(PROFILES.invalidate_tag("hand")).await;
    assert_eq!(a.run(PROFILES.get(&1)).await, None);
    assert!(store.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_fill_that_began_before_a_put_does_not_replace_it() {
    let (store, source) = (store(), Source::gated(0));
    let (a, b) = two(&store).await;
    let mut filling = Box::pin(b.value(1, &source));
    assert!(filling.as_mut().now_or_never().is_none());
    a.run(PROFILES.put(1, Ok(Profile { id: 1, value: 7 }))).await;
    source.gate.add_permits(1);
    assert_eq!(filling.await, 0);
    for process in [&a, &b] {
        assert_eq!(process.value(1, &source).await, 7);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_put_is_over_in_time() {
    let (store, source) = (store(), Source::new(0));
    let (a, b) = two(&store).await;
    a.run(PROFILES.put(1, Ok(Profile { id: 1, value: 7 }))).await;
    advance(61 * MINUTE).await;
    assert_eq!(b.run(PROFILES.get(&1)).await, None, "it may only stand in for a failure");
    assert_eq!(b.value(1, &source).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_put_goes_on_without_its_caller() {
    let store = store();
    let far = crate::support::Far::new(&store, 3);
    let a = Process::over(far).await;
    a.run(async {
        let mut putting = Box::pin(PROFILES.put(1, Ok(Profile { id: 1, value: 7 })));
        assert!(putting.as_mut().now_or_never().is_none());
    })
    .await;
    while store.is_empty() {
        tokio::task::yield_now().await;
    }
}
