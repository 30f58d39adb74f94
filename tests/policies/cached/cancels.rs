//! Callers that go away.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ddd_core::{__private::policies::CachedSettings, testing::IsolatedPolicies};
use futures_util::{FutureExt, future::join_all};
use tokio::time::sleep;

use super::rules::Plain;
use crate::{cell, support::figure};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_detached_fill_survives_its_caller() {
    let (isolated, runs) = (IsolatedPolicies::start(), Arc::new(AtomicU64::new(0)));
    let cell = cell!(CachedCell, CachedSettings::new());
    let call = || {
        let (isolated, runs) = (isolated.clone(), runs.clone());
        let make = move || async move {
            sleep(SECOND).await;
            Ok::<_, Infallible>(runs.fetch_add(1, Ordering::SeqCst) + 1)
        };
        async move { isolated.scope(cell.fill_detached(1_u64, Plain, make)).await }
    };
    let mut first = Box::pin(call());
    assert!((&mut first).now_or_never().is_none());
    let others = tokio::spawn(join_all((0..10).map(|_| Box::pin(call())).collect::<Vec<_>>()));
    tokio::task::yield_now().await;
    drop(first);
    assert_eq!(others.await.unwrap(), vec![Ok(1); 10], "they have the value of the fill that lost its caller");
    assert_eq!(call().await, Ok(1));
    assert_eq!(runs.load(Ordering::SeqCst), 1);

    // Nobody waits at all: the fill ends all the same.
    isolated.scope(async { ddd_core::ports::Policy::clear(cell) }).await;
    assert!(call().now_or_never().is_none());
    sleep(2 * SECOND).await;
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(call().now_or_never(), Some(Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn if_the_leader_of_a_driven_fill_goes_one_other_runs_it() {
    let (isolated, runs) = (IsolatedPolicies::start(), AtomicU64::new(0));
    let cell = cell!(CachedCell, CachedSettings::new());
    let call = || {
        isolated.scope(cell.fill(1_u64, Plain, || async {
            let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
            sleep(SECOND).await;
            Ok::<_, Infallible>(run)
        }))
    };
    let mut first = Box::pin(call());
    assert!((&mut first).now_or_never().is_none());
    let mut others: Vec<_> = (0..100).map(|_| Box::pin(call())).collect();
    for other in &mut others {
        assert!(other.now_or_never().is_none());
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    drop(first);
    // Whoever has got the turn goes away as well, before it takes it.
    drop(others.remove(0));
    assert_eq!(join_all(others).await, vec![Ok(2); 99]);
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_fill_that_everybody_left_is_forgotten() {
    let isolated = IsolatedPolicies::start();
    let cell = cell!(CachedCell, CachedSettings::new());
    isolated
        .scope(async {
            for key in 0..100_u64 {
                let make = || async {
                    sleep(SECOND).await;
                    Ok::<u64, Infallible>(0)
                };
                let mut callers: Vec<_> = (0..3).map(|_| Box::pin(cell.fill(key, Plain, make))).collect();
                for caller in &mut callers {
                    assert!(caller.now_or_never().is_none());
                }
                assert_eq!(figure(cell, "running_fills"), 1);
                drop(callers);
                assert_eq!(figure(cell, "running_fills"), 0);
            }
        })
        .await;
}

#[tokio::test]
async fn a_body_that_calls_its_own_key_does_not_wait_for_itself() {
    let isolated = IsolatedPolicies::start();
    let cell = cell!(CachedCell, CachedSettings::new());
    let outer = cell.fill(1_u64, Plain, || async {
        let inner = cell.fill(1_u64, Plain, || async { Ok::<u64, Infallible>(20) }).await;
        inner.map(|it| it + 1)
    });
    let answer = tokio::time::timeout(Duration::from_secs(5), isolated.scope(outer)).await;
    assert_eq!(answer.expect("it ends"), Ok(21));
}
