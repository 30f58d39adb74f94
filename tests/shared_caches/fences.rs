//! Nothing begun before an invalidation is served after it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use ddd_core::{CacheInvalidation, CacheStore, CacheTarget, domain::Tag};
use futures_util::FutureExt;
use tokio::task::yield_now;

use crate::support::{Far, PROFILES, Process, Profile, Source, pause, profile, store, two};

#[tokio::test(start_paused = true)]
async fn an_invalidation_reaches_the_copies_of_all_processes() {
    let (store, source) = (store(), Source::new(0));
    let (a, b) = two(&store).await;
    for round in 1..=6 {
        for process in [&a, &b] {
            process.value(1, &source).await;
            process.value(1, &source).await;
        }
        source.set(round);
        match round % 3 {
            0 => a.run(PROFILES.invalidate(&1)).await,
            1 => a.run(PROFILES.invalidate_tag("odd")).await,
            _ => a.run(PROFILES.clear()).await,
        }
        let answers = [b.value(1, &source).await, a.value(1, &source).await];
        assert_eq!(answers, [round; 2]);
        assert_eq!(source.runs(), round + 1, "of the two, one made it");
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_means_nothing_else() {
    let (store, source) = (store(), Source::new(0));
    let (a, b) = two(&store).await;
    for id in 1..=4 {
        a.value(id, &source).await;
        b.value(id, &source).await;
    }
    source.set(1);
    a.run(PROFILES.invalidate(&1)).await;
    a.run(PROFILES.invalidate_tag("even")).await;
    let mut found = Vec::new();
    for id in 1..=4 {
        found.push(b.value(id, &source).await);
    }
    assert_eq!(found, [1, 1, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_fill_that_began_before_is_stored_nowhere() {
    for round in 0..3 {
        let (store, source) = (store(), Source::gated(0));
        let (a, b) = two(&store).await;
        let filling = tokio::spawn({
            let (b, source) = (b.clone(), source.clone());
            async move { b.value(1, &source).await }
        });
        while source.runs() == 0 {
            yield_now().await;
        }
        source.set(1);
        match round {
            0 => a.run(PROFILES.invalidate(&1)).await,
            1 => a.run(PROFILES.invalidate_tag("odd")).await,
            _ => a.run(PROFILES.clear()).await,
        }
        source.gate.add_permits(2);
        assert_eq!(filling.await.unwrap(), 0, "who waited for it gets it");
        assert!(store.is_empty(), "round {round}");
        assert_eq!(b.value(1, &source).await, 1, "round {round}");
        assert_eq!(a.value(1, &source).await, 1, "round {round}");
    }
}

/// Even if this process hears nothing of it.
#[tokio::test(start_paused = true)]
async fn the_store_itself_refuses_what_began_before() {
    let (store, source) = (store(), Source::gated(0));
    let (a, b) = two(&store).await;
    store.set_silent(true);
    let mut filling = Box::pin(b.value(1, &source));
    assert!(filling.as_mut().now_or_never().is_none());
    a.run(PROFILES.invalidate(&1)).await;
    source.set(1);
    source.gate.add_permits(2);
    assert_eq!(filling.await, 0);
    assert!(store.is_empty());
    assert_eq!(a.value(1, &source).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_may_have_missed_something_forgets_its_copies() {
    let (store, source) = (store(), Source::new(0));
    let (a, b) = two(&store).await;
    b.value(1, &source).await;
    store.set_silent(true);
    source.set(1);
    a.run(PROFILES.invalidate(&1)).await;
    assert_eq!(b.value(1, &source).await, 0, "nobody told it");
    store.set_silent(false);
    assert_eq!(b.value(1, &source).await, 1);
}

/// What this process asked the store before the store forgot must not stay here.
#[tokio::test(start_paused = true)]
async fn what_came_from_the_store_while_it_was_told_is_forgotten() {
    let (store, source) = (store(), Source::new(0));
    Process::over(store.clone()).await.value(1, &source).await;
    let far = Far::new(&store, 0);
    let a = Process::over(far.clone()).await;
    far.hangs.store(true, Ordering::SeqCst);
    // Who asked for it is gone; it goes on.
    assert!(Box::pin(a.run(PROFILES.invalidate(&1))).as_mut().now_or_never().is_none());
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    // The store has not forgotten yet; but whoever owes it something does not ask it.
    source.set(1);
    assert_eq!(a.value(1, &source).await, 1);
    far.hangs.store(false, Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_secs(20)).await;
    assert!(store.is_empty(), "told in the end");
}

#[tokio::test(start_paused = true)]
async fn interleavings() {
    let seeds = match std::env::var("DDD_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..300).map(|_| fastrand::u64(..)).collect::<Vec<u64>>(),
    };
    for seed in seeds {
        fastrand::seed(seed);
        let store = store();
        let far = Far::new(&store, 4);
        let source = Source::new(0);
        let processes = [Process::over(far.clone()).await, Process::over(far.clone()).await];
        // The least that may be served: what was there when an invalidation was over.
        let least = Arc::new(AtomicU64::new(0));
        let callers = (0..6).map(|number| {
            let (process, source, least) = (processes[number % 2].clone(), source.clone(), least.clone());
            tokio::spawn(async move {
                for _ in 0..8 {
                    let at_least = least.load(Ordering::SeqCst);
                    let found = process.run(profile(1, source.clone())).await.unwrap().value;
                    assert!(found >= at_least, "seed {seed}: {found} after {at_least}");
                    pause(3).await;
                }
            })
        });
        let callers: Vec<_> = callers.collect();
        for round in 1..=6 {
            source.set(round);
            let process = &processes[fastrand::usize(..2)];
            match fastrand::u8(..4) {
                0 => process.run(PROFILES.invalidate(&1)).await,
                1 => process.run(PROFILES.invalidate_tag("odd")).await,
                2 => process.run(PROFILES.clear()).await,
                _ => process.run(PROFILES.put_tagged(1, Ok(Profile { id: 1, value: round }), ["odd"])).await,
            }
            least.store(round, Ordering::SeqCst);
            pause(6).await;
        }
        for caller in callers {
            caller.await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_ask_the_store_to_forget_is_forgotten_here() {
    let (store, source) = (store(), Source::new(0));
    let a = Process::over(store.clone()).await;
    for target in [CacheTarget::Key("1".into()), CacheTarget::Tag(Tag::from("odd")), CacheTarget::All] {
        let before = a.value(1, &source).await;
        source.set(before + 1);
        store.invalidate(vec![CacheInvalidation::new("another policy", target.clone(), 0)]).await.unwrap();
        assert_eq!(a.value(1, &source).await, before);
        store.invalidate(vec![CacheInvalidation::new("profile", target, 0)]).await.unwrap();
        assert_eq!(a.value(1, &source).await, before + 1);
    }
}
