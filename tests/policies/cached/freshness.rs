//! How long values are served, in virtual time.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ddd_core::{
    __private::policies::{CachedCell, CachedSettings},
    Refused, RefusedKind,
    testing::{isolated, isolated_with_clock},
};
use futures_util::FutureExt;
use tokio::time::{advance, sleep};

use super::rules::{Optional, Plain, Shared};
use crate::{
    cell,
    support::{Clock, figure},
};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

/// Counts the runs of a body, and answers with their number.
#[derive(Clone, Default)]
struct Runs(Arc<AtomicU64>);

impl Runs {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

async fn numbered(cell: &'static CachedCell, runs: &Runs) -> u64 {
    let runs = runs.clone();
    cell.fill_detached((), Plain, move || async move { Ok::<_, Infallible>(runs.next()) }).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_value_is_served_for_its_ttl_to_the_nanosecond() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new().ttl(Duration::from_secs(600)));
        let runs = Runs::default();
        assert_eq!(numbered(cell, &runs).await, 1);
        advance(600 * SECOND - MILLISECOND).await;
        assert_eq!(numbered(cell, &runs).await, 1);
        advance(MILLISECOND).await;
        assert_eq!(numbered(cell, &runs).await, 2);
        assert_eq!(numbered(cell, &runs).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_goes_back_serves_what_is_there() {
    let clock = Clock::default();
    clock.advance(1_000 * SECOND);
    let back = clock.clone();
    let went_back = Arc::new(AtomicU64::new(0));
    let jump = went_back.clone();
    let read = move || {
        let now = back.now();
        ddd_core::domain::Moment::from_nanos(now.as_nanos() - jump.load(Ordering::SeqCst))
    };
    isolated_with_clock(read, async {
        let cell = cell!(CachedCell, CachedSettings::new().ttl(Duration::from_secs(10)));
        let runs = Runs::default();
        assert_eq!(numbered(cell, &runs).await, 1);
        went_back.store(500_000_000_000, Ordering::SeqCst);
        assert_eq!(numbered(cell, &runs).await, 1);
        went_back.store(0, Ordering::SeqCst);
        clock.advance(10 * SECOND);
        assert_eq!(numbered(cell, &runs).await, 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_value_is_gone() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new().forever().tti(Duration::from_secs(64)));
        let runs = Runs::default();
        numbered(cell, &runs).await;
        for _ in 0..10 {
            advance(60 * SECOND).await;
            assert_eq!(numbered(cell, &runs).await, 1, "each use keeps it");
        }
        advance(64 * SECOND).await;
        assert_eq!(numbered(cell, &runs).await, 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_stored_only_for_a_negative_ttl() {
    let absent = async |cell: &'static CachedCell, runs: &Runs| {
        let runs = runs.clone();
        let make = move || async move { Ok::<_, Infallible>(None::<u64>.filter(|_| runs.next() > 0)) };
        let body_runs = make;
        cell.fill_detached((), Optional, body_runs).await.unwrap()
    };
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        for _ in 0..3 {
            assert_eq!(absent(cell, &Runs::default()).await, None);
        }
        assert_eq!(figure(cell, "fills"), 3);
        assert_eq!(figure(cell, "size"), 0);

        let cell = cell!(CachedCell, CachedSettings::new().negative_ttl(Duration::from_secs(5)));
        for _ in 0..3 {
            assert_eq!(absent(cell, &Runs::default()).await, None);
        }
        assert_eq!(figure(cell, "fills"), 1);
        advance(5 * SECOND).await;
        assert_eq!(absent(cell, &Runs::default()).await, None);
        assert_eq!(figure(cell, "fills"), 2);
    })
    .await;
}

async fn fallible(cell: &'static CachedCell, runs: &Runs, fails: bool) -> Result<u64, String> {
    let runs = runs.clone();
    let body = move || async move {
        let run = runs.next();
        Ok::<_, Infallible>(if fails { Err(format!("run {run} failed")) } else { Ok(run) })
    };
    cell.fill_detached((), Shared, body).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_error_is_stored_only_for_a_negative_ttl() {
    isolated(async {
        let (cell, runs) = (cell!(CachedCell, CachedSettings::new()), Runs::default());
        assert_eq!(fallible(cell, &runs, true).await, Err("run 1 failed".to_owned()));
        assert_eq!(fallible(cell, &runs, false).await, Ok(2));
        assert_eq!(figure(cell, "failed_fills"), 1);

        let cell = cell!(CachedCell, CachedSettings::new().negative_ttl(Duration::from_secs(5)));
        let runs = Runs::default();
        assert_eq!(fallible(cell, &runs, true).await, Err("run 1 failed".to_owned()));
        assert_eq!(fallible(cell, &runs, false).await, Err("run 1 failed".to_owned()));
        advance(5 * SECOND).await;
        assert_eq!(fallible(cell, &runs, false).await, Ok(2));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hit_shortly_before_the_end_starts_one_refresh_in_the_background() {
    isolated(async {
        const SETTINGS: CachedSettings =
            CachedSettings::new().ttl(Duration::from_secs(600)).refresh_ahead(Duration::from_secs(60));
        let (cell, runs) = (cell!(CachedCell, SETTINGS), Runs::default());
        let slow = || {
            let runs = runs.clone();
            cell.fill_detached((), Plain, move || async move {
                sleep(SECOND).await;
                Ok::<_, Infallible>(runs.next())
            })
        };
        assert_eq!(slow().await, Ok(1));
        advance(539 * SECOND).await;
        assert_eq!(slow().now_or_never(), Some(Ok(1)));
        assert_eq!(figure(cell, "refreshes"), 0, "it is too early");
        advance(SECOND).await;
        for _ in 0..10 {
            assert_eq!(slow().now_or_never(), Some(Ok(1)), "the hit does not wait");
        }
        assert_eq!(figure(cell, "refreshes"), 1);
        sleep(2 * SECOND).await;
        assert_eq!(runs.count(), 2);
        assert_eq!(slow().now_or_never(), Some(Ok(2)));
        advance(590 * SECOND).await;
        assert_eq!(slow().now_or_never(), Some(Ok(2)), "its ttl began with the refresh");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_fails_leaves_the_value() {
    isolated(async {
        const SETTINGS: CachedSettings =
            CachedSettings::new().ttl(Duration::from_secs(600)).refresh_ahead(Duration::from_secs(60));
        let (cell, runs) = (cell!(CachedCell, SETTINGS), Runs::default());
        assert_eq!(fallible(cell, &runs, false).await, Ok(1));
        advance(550 * SECOND).await;
        assert_eq!(fallible(cell, &runs, true).await, Ok(1));
        sleep(SECOND).await;
        assert_eq!(runs.count(), 2, "it was tried");
        assert_eq!(fallible(cell, &runs, true).await, Ok(1));
        sleep(SECOND).await;
        assert_eq!(runs.count(), 3, "the next hit tries again");
        assert_eq!(figure(cell, "stale_served"), 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_borrows_is_refreshed_in_place() {
    isolated(async {
        const SETTINGS: CachedSettings =
            CachedSettings::new().ttl(Duration::from_secs(600)).refresh_ahead(Duration::from_secs(60));
        let (cell, runs) = (cell!(CachedCell, SETTINGS), Runs::default());
        let call = || cell.fill((), Plain, || async { Ok::<_, Infallible>(runs.next()) });
        assert_eq!(call().await, Ok(1));
        advance(550 * SECOND).await;
        assert_eq!(call().await, Ok(2));
        assert_eq!(call().await, Ok(2));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_old_value_stands_in_for_failures_as_long_as_it_may() {
    isolated(async {
        const SETTINGS: CachedSettings =
            CachedSettings::new().ttl(Duration::from_secs(60)).stale_on_error(Duration::from_secs(600));
        let (cell, runs) = (cell!(CachedCell, SETTINGS), Runs::default());
        assert_eq!(fallible(cell, &runs, false).await, Ok(1));
        advance(60 * SECOND).await;
        assert_eq!(fallible(cell, &runs, true).await, Ok(1), "in place of the error");
        assert_eq!(runs.count(), 2, "it was tried");
        let refused = || Refused::new(RefusedKind::CircuitOpen, "backend", None);
        let call = cell.fill_detached((), Shared, move || async move { Err::<Result<u64, String>, _>(refused()) });
        assert_eq!(call.await, Ok(Ok(1)), "in place of the refusal");
        assert_eq!(figure(cell, "stale_served"), 2);
        advance(600 * SECOND).await;
        assert_eq!(fallible(cell, &runs, true).await, Err("run 3 failed".to_owned()));
        assert_eq!(fallible(cell, &runs, false).await, Ok(4));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_reaches_all_who_wait_and_is_not_stored() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new().negative_ttl(Duration::from_secs(60)));
        let call = || {
            cell.fill_detached((), Shared, || async {
                sleep(SECOND).await;
                Err::<Result<u64, String>, _>(Refused::new(RefusedKind::CircuitOpen, "backend", None))
            })
        };
        let all = futures_util::future::join_all((0..10).map(|_| call())).await;
        assert!(all.iter().all(|it| it.as_ref().is_err_and(|it| it.kind == RefusedKind::CircuitOpen)), "{all:?}");
        assert_eq!(figure(cell, "fills"), 1);
        assert_eq!(figure(cell, "size"), 0);
    })
    .await;
}
