//! Many callers of one key at once.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ddd_core::{
    __private::policies::CachedSettings,
    testing::{IsolatedPolicies, isolated},
};
use futures_util::{FutureExt, future::join_all};
use tokio::{sync::Notify, time::timeout};

use super::rules::{Plain, Precious, Shared, Unshared};
use crate::{cell, support::figure};

const CALLERS: usize = 10_000;

/// How often the body ran, and a gate that it waits at.
#[derive(Default)]
struct Body {
    runs: AtomicU64,
    gate: Notify,
}

impl Body {
    async fn run(&self) -> u64 {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        self.gate.notified().await;
        run
    }

    fn runs(&self) -> u64 {
        self.runs.load(Ordering::SeqCst)
    }
}

/// All callers on two threads, until they wait for the one body; then it goes on.
async fn herd<T, F>(call: impl Fn(Arc<Body>) -> F) -> (Vec<T>, u64)
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (isolated, body) = (IsolatedPolicies::start(), Arc::<Body>::default());
    let mut callers = Vec::new();
    for _ in 0..CALLERS {
        let (isolated, call) = (isolated.clone(), call(body.clone()));
        callers.push(tokio::spawn(async move { isolated.scope(call).await }));
    }
    // The permit is kept for whoever comes to the gate.
    body.gate.notify_one();
    let all = timeout(Duration::from_secs(20), join_all(callers)).await.expect("nobody waits for ever");
    (all.into_iter().map(|it| it.unwrap()).collect(), body.runs())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_body_for_a_value() {
    let cell = cell!(CachedCell, CachedSettings::new());
    let (values, runs) = herd(|body| async move {
        let make = move || async move { Ok::<_, Infallible>(body.run().await) };
        cell.fill_detached(7_u64, Plain, make).await.unwrap()
    })
    .await;
    assert_eq!(runs, 1);
    assert!(values.iter().all(|it| *it == 1), "all have the one value");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_body_for_a_value_that_its_first_caller_drives() {
    let cell = cell!(CachedCell, CachedSettings::new());
    let (values, runs) = herd(|body| async move {
        let make = || async { Ok::<_, Infallible>(body.run().await) };
        cell.fill(7_u64, Plain, make).await.unwrap()
    })
    .await;
    assert_eq!(runs, 1);
    assert!(values.iter().all(|it| *it == 1), "all have the one value");
}

/// A wave is who waits for the same body. Here the body ends when all callers are there, so there is one wave.
async fn waves<T, F>(call: impl Fn(Arc<Body>) -> F) -> (Vec<T>, u64)
where
    F: Future<Output = T>,
{
    let body = Arc::<Body>::default();
    let isolated = IsolatedPolicies::start();
    let callers = join_all((0..CALLERS).map(|_| isolated.scope(call(body.clone()))));
    let open = async {
        // Polled after all callers: all wait by now.
        body.gate.notify_waiters();
    };
    let (all, ()) = timeout(Duration::from_secs(20), futures_util::future::join(callers, open)).await.unwrap();
    (all, body.runs())
}

#[tokio::test]
async fn one_body_for_an_error_that_can_be_copied() {
    let cell = cell!(CachedCell, CachedSettings::new());
    let call = |body: Arc<Body>| async move {
        let make = move || async move { Ok::<_, Infallible>(Err::<(), _>(body.run().await)) };
        cell.fill_detached(7_u64, Shared, make).await.unwrap()
    };
    let (errors, runs) = waves(call).await;
    assert_eq!(runs, 1);
    assert!(errors.iter().all(|it| *it == Err(1)), "all have the one error");
}

#[tokio::test]
async fn one_body_for_a_panic() {
    let cell = cell!(CachedCell, CachedSettings::new());
    let (panics, runs) = waves(|body| async move {
        let make = move || async move {
            let run = body.run().await;
            assert!(run > 1, "the first run panics");
            Ok::<_, Infallible>(run)
        };
        AssertUnwindSafe(cell.fill_detached(7_u64, Plain, make)).catch_unwind().await
    })
    .await;
    assert_eq!(runs, 1);
    for payload in panics.into_iter().map(|it| it.expect_err("all panic")) {
        let text = payload.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).expect("a text");
        assert!(text.contains("the first run panics"), "{text}");
    }
}

#[tokio::test]
async fn after_a_panic_the_next_caller_runs_the_body() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        let panic = || async {
            assert!(std::hint::black_box(false), "the body panics");
            Ok::<u64, Infallible>(0)
        };
        assert!(AssertUnwindSafe(cell.fill(1_u64, Plain, panic)).catch_unwind().await.is_err());
        assert_eq!(cell.fill(1_u64, Plain, || async { Ok::<u64, Infallible>(5) }).await, Ok(5));
        assert_eq!(figure(cell, "running_fills"), 0);
    })
    .await;
}

#[tokio::test]
async fn an_error_that_cannot_be_copied_lets_each_who_waits_run_in_turn() {
    const WAIT: u64 = 100;
    let runs = AtomicU64::new(0);
    let inside = AtomicU64::new(0);
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        let call = || async {
            let make = || async {
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two bodies run at once");
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
                let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
                Ok::<_, Infallible>(if run < WAIT { Err(Precious(run)) } else { Ok(run) })
            };
            cell.fill(1_u64, Unshared, make).await.unwrap()
        };
        let all = join_all((0..2 * WAIT).map(|_| call())).await;
        // Each error reaches one caller; the first value reaches all others.
        for run in 1..WAIT {
            assert_eq!(all.iter().filter(|it| **it == Err(Precious(run))).count(), 1, "error {run}");
        }
        assert_eq!(all.iter().filter(|it| **it == Ok(WAIT)).count() as u64, WAIT + 1);
        assert_eq!(runs.load(Ordering::SeqCst), WAIT);
        assert_eq!(figure(cell, "running_fills"), 0);
    })
    .await;
}
