//! Calls that wait for their turn.

use std::{future::Future, sync::Arc, time::Duration};

use ddd_core::{
    __private::policies::{RateLimitedCell, RateLimitedSettings, Strategy},
    RefusedKind,
    ports::Policy,
    testing::{IsolatedPolicies, isolated},
};
use parking_lot::Mutex;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};

use crate::{
    cell,
    support::{figure, settings},
};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// Runs what is ready.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// Starts a call, and notes its name when it passes.
fn start(
    policies: &IsolatedPolicies,
    passed: &Arc<Mutex<Vec<&'static str>>>,
    name: &'static str,
    call: impl Future<Output = Result<(), ddd_core::Refused>> + Send + 'static,
) -> tokio::task::JoinHandle<Result<(), ddd_core::Refused>> {
    let (policies, passed) = (policies.clone(), passed.clone());
    tokio::spawn(async move {
        let answer = policies.scope(call).await;
        if answer.is_ok() {
            passed.lock().push(name);
        }
        answer
    })
}

/// One in a second; calls wait for up to ten.
const ONE_A_SECOND: RateLimitedSettings = RateLimitedSettings::new().limit(1).per(SECOND).wait(Duration::from_secs(10));

#[tokio::test(start_paused = true)]
async fn calls_pass_in_the_order_in_which_they_came() {
    let cell = cell!(RateLimitedCell, ONE_A_SECOND);
    let (policies, passed) = (IsolatedPolicies::start(), Arc::default());
    let started = Instant::now();
    let mut calls = Vec::new();
    for name in ["first", "second", "third", "fourth"] {
        calls.push(start(&policies, &passed, name, async { cell.admit((), 1).await }));
        settle().await;
    }
    assert_eq!(policies.scope(async { figure(cell, "waiting") }).await, 3);
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(*passed.lock(), ["first", "second", "third", "fourth"]);
    let took = started.elapsed();
    assert!(took >= 3 * SECOND && took < 3 * SECOND + 10 * MS, "{took:?}");
    assert_eq!(policies.scope(async { figure(cell, "waiting") }).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_for_little_does_not_overtake_one_for_much() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(4).per(SECOND).wait(Duration::from_secs(10)));
    let (policies, passed) = (IsolatedPolicies::start(), Arc::default());
    policies.scope(async { cell.admit((), 2).await }).await.unwrap();
    let much = start(&policies, &passed, "much", async { cell.admit((), 4).await });
    settle().await;
    let little = start(&policies, &passed, "little", async { cell.admit((), 1).await });
    much.await.unwrap().unwrap();
    little.await.unwrap().unwrap();
    assert_eq!(*passed.lock(), ["much", "little"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_stops_waiting_keeps_nothing() {
    let cell = cell!(RateLimitedCell, ONE_A_SECOND);
    let (policies, passed) = (IsolatedPolicies::start(), Arc::default());
    policies.scope(async { cell.admit((), 1).await }).await.unwrap();
    let started = Instant::now();
    let gone = start(&policies, &passed, "gone", async { cell.admit((), 1).await });
    settle().await;
    let also_gone = start(&policies, &passed, "also gone", async { cell.admit((), 1).await });
    settle().await;
    let stays = start(&policies, &passed, "stays", async { cell.admit((), 1).await });
    settle().await;
    // The one at the head of the line, and one in it.
    gone.abort();
    also_gone.abort();
    stays.await.unwrap().unwrap();
    let took = started.elapsed();
    assert!(took < SECOND + 10 * MS, "those that went kept {took:?}");
    assert_eq!(policies.scope(async { figure(cell, "waiting") }).await, 0);
    assert_eq!(policies.scope(async { figure(cell, "allowed") }).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_in_the_moment_of_its_turn_keeps_nothing() {
    let cell = cell!(RateLimitedCell, ONE_A_SECOND);
    isolated(async {
        cell.admit((), 1).await.unwrap();
        for patience in [999 * MS, SECOND, 1_001 * MS] {
            let before = figure(cell, "allowed");
            let passed = timeout(patience, cell.admit((), 1)).await.is_ok();
            // Either it passed and was told so, or it took nothing.
            assert_eq!(figure(cell, "allowed") - before, u64::from(passed), "{patience:?}");
            sleep(2 * SECOND).await;
            cell.admit((), 1).await.unwrap();
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_wait_too_long_is_refused_at_once() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(1).per(SECOND).wait(Duration::from_millis(500)));
    isolated(async {
        cell.admit((), 1).await.unwrap();
        let asked = Instant::now();
        let refused = cell.admit((), 1).await.unwrap_err();
        assert_eq!((refused.kind, refused.retry_after), (RefusedKind::RateLimited, Some(SECOND)));
        assert_eq!(asked.elapsed(), Duration::ZERO);
        sleep(600 * MS).await;
        cell.admit((), 1).await.unwrap();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn those_in_line_are_refused_when_their_time_is_over() {
    let cell =
        cell!(RateLimitedCell, RateLimitedSettings::new().limit(1).per(SECOND).wait(Duration::from_millis(1_500)));
    let (policies, passed) = (IsolatedPolicies::start(), Arc::default());
    policies.scope(async { cell.admit((), 1).await }).await.unwrap();
    let started = Instant::now();
    let first = start(&policies, &passed, "first", async { cell.admit((), 1).await });
    settle().await;
    let second = start(&policies, &passed, "second", async { cell.admit((), 1).await });
    first.await.unwrap().unwrap();
    second.await.unwrap().expect_err("its turn comes after two seconds");
    // As soon as it is known: when it is first in line.
    assert!(started.elapsed() < 1_100 * MS, "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn no_more_calls_wait_than_the_queue_holds() {
    let cell = cell!(RateLimitedCell, ONE_A_SECOND.queue(2));
    let (policies, passed) = (IsolatedPolicies::start(), Arc::default());
    policies.scope(async { cell.admit(1, 1).await }).await.unwrap();
    policies.scope(async { cell.admit(2, 1).await }).await.unwrap();
    let one = start(&policies, &passed, "one", async { cell.admit(1, 1).await });
    let two = start(&policies, &passed, "two", async { cell.admit(2, 1).await });
    settle().await;
    let refused = policies.scope(async { cell.admit(1, 1).await }).await.unwrap_err();
    assert_eq!(refused.kind, RefusedKind::RateLimited);
    one.await.unwrap().unwrap();
    two.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_line_of_its_own() {
    let cell = cell!(RateLimitedCell, ONE_A_SECOND);
    let (policies, passed) = (IsolatedPolicies::start(), Arc::default());
    policies.scope(async { cell.admit("busy", 1).await }).await.unwrap();
    let waits = start(&policies, &passed, "busy", async { cell.admit("busy", 1).await });
    settle().await;
    let asked = Instant::now();
    policies.scope(async { cell.admit("idle", 1).await }).await.unwrap();
    assert_eq!(asked.elapsed(), Duration::ZERO);
    waits.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_costs_more_than_the_limit_is_refused_at_once() {
    for strategy in [Strategy::SlidingWindow, Strategy::TokenBucket, Strategy::FixedWindow] {
        let cell =
            cell!(RateLimitedCell, RateLimitedSettings::new().limit(5).per(SECOND).wait(Duration::from_secs(10)));
        isolated(async {
            cell.change(&settings(json!({ "strategy": strategy.as_str() }))).unwrap();
            let asked = Instant::now();
            let refused = cell.admit((), 6).await.unwrap_err();
            assert_eq!((refused.retry_after, asked.elapsed()), (None, Duration::ZERO));
            cell.admit((), 5).await.unwrap();
            cell.admit((), 0).await.expect("what costs nothing passes");
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_higher_limit_lets_those_pass_that_wait() {
    let cell = cell!(
        RateLimitedCell,
        RateLimitedSettings::new().limit(1).per(Duration::from_secs(60)).wait(Duration::from_secs(120))
    );
    let (policies, passed) = (IsolatedPolicies::start(), Arc::default());
    policies.scope(async { cell.admit((), 1).await }).await.unwrap();
    let started = Instant::now();
    let one = start(&policies, &passed, "one", async { cell.admit((), 1).await });
    settle().await;
    let two = start(&policies, &passed, "two", async { cell.admit((), 1).await });
    settle().await;
    policies.scope(async { cell.change(&settings(json!({"limit": 3}))).unwrap() }).await;
    one.await.unwrap().unwrap();
    two.await.unwrap().unwrap();
    assert!(started.elapsed() < 10 * MS, "{:?}", started.elapsed());
    assert_eq!(*passed.lock(), ["one", "two"]);
}

/// The cell is used by reference; its future needs nothing of the key.
#[test]
fn the_future_of_a_call_can_move_to_another_thread() {
    fn is_send<T: Send + 'static>(_: &T) {}
    let cell: &'static RateLimitedCell = cell!(RateLimitedCell, ONE_A_SECOND);
    let key = std::rc::Rc::new(1);
    is_send(&cell.admit(key, 1));
}
