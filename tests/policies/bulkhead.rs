//! `#[bulkhead]`, by its cell.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use ddd_core::{
    __private::policies::{BulkheadCell, BulkheadSettings},
    RefusedKind,
    ports::Policy,
    testing::{IsolatedPolicies, isolated},
};
use futures_util::FutureExt;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    cell,
    support::{Seed, figure, seeds, settings},
};

const MS: Duration = Duration::from_millis(1);

fn running(cell: &'static BulkheadCell) -> u64 {
    figure(cell, "running")
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_place_is_refused_at_once() {
    let cell = cell!(BulkheadCell, BulkheadSettings::new(2));
    isolated(async {
        let (one, _two) = (cell.enter().await.unwrap(), cell.enter().await.unwrap());
        let refused = cell.enter().await.unwrap_err();
        assert_eq!((refused.kind, refused.retry_after), (RefusedKind::BulkheadFull, None));
        assert_eq!(running(cell), 2);
        drop(one);
        let _three = cell.enter().await.unwrap();
        assert_eq!((figure(cell, "allowed"), figure(cell, "refused")), (3, 1));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_served_in_order_and_no_more_wait_than_may() {
    let cell = cell!(BulkheadCell, BulkheadSettings::new(1).queue(2).wait(Duration::from_secs(5)));
    let policies = IsolatedPolicies::start();
    let order = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let mut calls = Vec::new();
    for number in 0..3 {
        let (policies, order) = (policies.clone(), order.clone());
        calls.push(tokio::spawn(async move {
            let call = async {
                let _permit = cell.enter().await.unwrap();
                order.lock().push(number);
                sleep(Duration::from_secs(1)).await;
            };
            policies.scope(call).await;
        }));
        sleep(MS).await;
    }
    policies
        .scope(async {
            assert_eq!((running(cell), figure(cell, "waiting")), (1, 2));
            let asked = Instant::now();
            cell.enter().await.unwrap_err();
            assert_eq!(asked.elapsed(), Duration::ZERO);
        })
        .await;
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(*order.lock(), [0, 1, 2]);
    assert_eq!(policies.scope(async { (running(cell), figure(cell, "waiting")) }).await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_over_ends_in_a_refusal() {
    let cell = cell!(BulkheadCell, BulkheadSettings::new(1).queue(1).wait(Duration::from_millis(50)));
    isolated(async {
        let permit = cell.enter().await.unwrap();
        let asked = Instant::now();
        let refused = cell.enter().await.unwrap_err();
        assert_eq!(refused.kind, RefusedKind::BulkheadFull);
        assert!(asked.elapsed() >= 50 * MS && asked.elapsed() <= 52 * MS, "{:?}", asked.elapsed());
        drop(permit);
        assert_eq!((running(cell), figure(cell, "waiting")), (0, 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_stops_waiting_takes_no_place() {
    let cell = cell!(BulkheadCell, BulkheadSettings::new(1).queue(5).wait(Duration::from_secs(60)));
    isolated(async {
        let permit = cell.enter().await.unwrap();
        timeout(MS, cell.enter()).await.unwrap_err();
        assert_eq!(figure(cell, "waiting"), 0);
        // Dropped in the moment in which the place is its own.
        let mut waits = Box::pin(cell.enter());
        assert!((&mut waits).now_or_never().is_none());
        drop(permit);
        drop(waits);
        let _next = cell.enter().await.unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_gives_the_place_back() {
    let cell = cell!(BulkheadCell, BulkheadSettings::new(1));
    let policies = IsolatedPolicies::start();
    let scoped = policies.clone();
    let call = tokio::spawn(async move {
        let call = async {
            let _permit = cell.enter().await.unwrap();
            panic!("the body panics");
        };
        scoped.scope(call).await;
    });
    assert!(call.await.unwrap_err().is_panic());
    policies.scope(async { drop(cell.enter().await.unwrap()) }).await;
}

#[tokio::test(start_paused = true)]
async fn a_lower_limit_holds_as_soon_as_calls_end() {
    let cell = cell!(BulkheadCell, BulkheadSettings::new(3));
    isolated(async {
        let mut permits = vec![cell.enter().await.unwrap(), cell.enter().await.unwrap(), cell.enter().await.unwrap()];
        cell.change(&settings(json!({"limit": 1}))).unwrap();
        assert_eq!(running(cell), 3);
        for left in [2, 1] {
            permits.pop();
            assert_eq!(running(cell), left);
            cell.enter().await.unwrap_err();
        }
        permits.pop();
        let _one = cell.enter().await.unwrap();
        cell.enter().await.unwrap_err();
        cell.reset();
        let (_two, _three) = (cell.enter().await.unwrap(), cell.enter().await.unwrap());
        cell.enter().await.unwrap_err();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_higher_limit_lets_those_in_that_wait() {
    let cell = cell!(BulkheadCell, BulkheadSettings::new(1).queue(1).wait(Duration::from_secs(5)));
    isolated(async {
        let _one = cell.enter().await.unwrap();
        let mut waits = Box::pin(cell.enter());
        assert!((&mut waits).now_or_never().is_none());
        cell.change(&settings(json!({"limit": 2}))).unwrap();
        let _two = waits.await.unwrap();
        assert_eq!(running(cell), 2);
    })
    .await;
}

/// Calls come and go while the limit changes: there is never a place too many, and in the end all are there.
#[tokio::test(start_paused = true)]
async fn changes_among_calls_neither_lose_nor_add_places() {
    let cell = cell!(BulkheadCell, BulkheadSettings::new(4));
    for seed in seeds(200) {
        let _guard = Seed(seed);
        let mut random = fastrand::Rng::with_seed(seed);
        isolated(async {
            let (mut permits, mut limit) = (Vec::new(), 4);
            for _ in 0..300 {
                match random.u8(..10) {
                    0 => {
                        limit = 1 + random.usize(..8);
                        cell.change(&settings(json!({ "limit": limit }))).unwrap();
                    }
                    1..=4 if !permits.is_empty() => drop(permits.swap_remove(random.usize(..permits.len()))),
                    _ => {
                        let passed = cell.enter().await;
                        assert_eq!(passed.is_ok(), permits.len() < limit);
                        permits.extend(passed);
                    }
                }
                assert_eq!(running(cell), permits.len() as u64);
            }
            permits.clear();
            let all: Vec<_> = futures_util::future::join_all((0..limit).map(|_| cell.enter())).await;
            assert!(all.iter().all(Result::is_ok));
            cell.enter().await.unwrap_err();
        })
        .await;
    }
}

#[test]
fn threads_never_run_more_than_the_limit() {
    let cell = cell!(BulkheadCell, BulkheadSettings::new(3));
    let inside = AtomicI64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..5_000 {
                    let Some(Ok(_permit)) = cell.enter().now_or_never() else { continue };
                    let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                    assert!(now <= 3, "{now} inside");
                    inside.fetch_sub(1, Ordering::SeqCst);
                }
            });
        }
        scope.spawn(|| {
            for limit in (1..=3).cycle().take(300) {
                cell.change(&settings(json!({ "limit": limit }))).unwrap();
            }
            cell.change(&settings(json!({"limit": 3}))).unwrap();
        });
    });
    assert_eq!(running(cell), 0);
    let permits: Vec<_> = (0..3).map(|_| cell.enter().now_or_never().unwrap().unwrap()).collect();
    cell.enter().now_or_never().unwrap().unwrap_err();
    drop(permits);
}
