//! What is put by hand while something newer comes is not served after it.

use std::{pin::pin, time::Duration};

use futures_util::FutureExt;
use tokio::{task::yield_now, time::sleep};

use crate::support::{Failed, Far, Held, PROFILES, Process, Profile, Source, store};

const SECOND: Duration = Duration::from_secs(1);

fn of(value: u64) -> Result<Profile, Failed> {
    Ok(Profile { id: 1, value })
}

/// The store has the value, another process replaces it, and only then the first one goes on.
#[tokio::test(start_paused = true)]
async fn a_copy_that_another_process_overtook_is_not_kept() {
    for round in 0..4 {
        let (store, source) = (store(), Source::new(2));
        let far = Far::new(&store, 0);
        let (a, b) = (Process::over(far.clone()).await, Process::over(store.clone()).await);
        far.hold(Held::Answer);
        let mut putting = pin!(a.run(PROFILES.put_tagged(1, of(1), ["odd"])));
        assert!(putting.as_mut().now_or_never().is_none());
        while store.is_empty() {
            yield_now().await;
        }
        match round {
            0 => b.run(PROFILES.put(1, of(2))).await,
            1 => b.run(PROFILES.invalidate(&1)).await,
            2 => b.run(PROFILES.invalidate_tag("odd")).await,
            _ => b.run(PROFILES.clear()).await,
        }
        far.gate.add_permits(1);
        putting.await;
        far.hold(Held::Nothing);
        assert_eq!(a.value(1, &source).await, 2, "round {round}");
        assert_eq!(b.value(1, &source).await, 2, "round {round}");
    }
}

/// The later of two puts is the one that the store has, whichever is answered first.
#[tokio::test(start_paused = true)]
async fn of_two_puts_in_one_process_the_store_says_which_counts() {
    for held in [Held::Answer, Held::Write] {
        let (store, source) = (store(), Source::new(0));
        let far = Far::new(&store, 0);
        let (a, b) = (Process::over(far.clone()).await, Process::over(store.clone()).await);
        far.hold(held);
        let mut first = pin!(a.run(PROFILES.put(1, of(1))));
        assert!(first.as_mut().now_or_never().is_none());
        yield_now().await;
        far.hold(Held::Nothing);
        a.run(PROFILES.put(1, of(2))).await;
        far.gate.add_permits(1);
        first.await;
        let expected = if held == Held::Answer { 2 } else { 1 };
        assert_eq!(b.value(1, &source).await, expected, "{held:?}");
        assert_eq!(a.value(1, &source).await, expected, "{held:?}");
        assert_eq!(source.runs(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_in_the_same_process_overtakes_a_put_at_once() {
    let (store, source) = (store(), Source::new(2));
    let far = Far::new(&store, 0);
    let a = Process::over(far.clone()).await;
    far.hold(Held::Answer);
    let mut putting = pin!(a.run(PROFILES.put(1, of(1))));
    assert!(putting.as_mut().now_or_never().is_none());
    yield_now().await;
    // The store does not take it yet.
    far.keeps_all.store(true, std::sync::atomic::Ordering::SeqCst);
    a.run(PROFILES.invalidate(&1)).await;
    far.gate.add_permits(1);
    putting.await;
    assert_eq!(a.value(1, &source).await, 2);
}

/// The store is given up, does all that is asked of it since, and then writes the old value.
#[tokio::test(start_paused = true)]
async fn a_write_that_takes_effect_late_does_not_stay() {
    let (store, source) = (store(), Source::new(2));
    let far = Far::new(&store, 0);
    let (a, b) = (Process::over(far.clone()).await, Process::over(store.clone()).await);
    far.hold(Held::Write);
    a.run(PROFILES.put(1, of(1))).await;
    far.hold(Held::Nothing);
    // What it is owed is told, and it counts as one that answers again.
    sleep(20 * SECOND).await;
    a.run(PROFILES.put(1, of(2))).await;
    assert_eq!(b.value(1, &source).await, 2);
    assert_eq!(source.runs(), 0, "it comes from the store");
    far.gate.add_permits(1);
    sleep(20 * SECOND).await;
    assert_eq!(a.value(1, &source).await, 2);
    assert_eq!(b.value(1, &source).await, 2);
}
