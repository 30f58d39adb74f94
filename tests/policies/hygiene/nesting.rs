//! The order in the text is the order of nesting, and what belongs to different functions never meets.

use std::{
    any::type_name,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use ddd_core::{RefusedKind, bulkhead, cached, circuit_breaker, rate_limited, retry, testing::isolated, timeout};
use tokio::time::{Instant, sleep};

use super::support::Error;

static RUNS: AtomicU32 = AtomicU32::new(0);

/// One deadline over all attempts.
#[timeout("100ms", name = "nesting.outside")]
#[retry(5, delay = "40ms", backoff = 1.0, jitter = false)]
async fn timeout_outside(runs: &AtomicU32) -> Result<(), Error> {
    runs.fetch_add(1, Ordering::Relaxed);
    Err(Error::Other("bad"))
}

/// A deadline for each attempt, which is tried again after it.
#[retry(3, delay = "0s", name = "nesting.inside")]
#[timeout("100ms")]
async fn timeout_inside(runs: &AtomicU32) -> Result<(), Error> {
    runs.fetch_add(1, Ordering::Relaxed);
    sleep(Duration::from_secs(3_600)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_timeout_is_per_call_or_per_attempt() {
    isolated(async {
        let (runs, began) = (AtomicU32::new(0), Instant::now());
        let refused = timeout_outside(&runs).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(it) if it.kind == RefusedKind::TimedOut));
        assert_eq!((runs.into_inner(), began.elapsed()), (3, Duration::from_millis(100)));

        let (runs, began) = (AtomicU32::new(0), Instant::now());
        let refused = timeout_inside(&runs).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(it) if it.kind == RefusedKind::TimedOut));
        assert_eq!((runs.into_inner(), began.elapsed()), (3, Duration::from_millis(300)));
    })
    .await;
}

/// What a limit inside refuses is not tried again, and no failure for the breaker outside.
#[circuit_breaker(min_calls = 1, window = 1)]
#[retry(5, delay = "30s", name = "nesting.refused")]
#[rate_limited(1, per = "1m")]
async fn refused_inside(runs: &AtomicU32) -> Result<(), Error> {
    runs.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_neither_retried_nor_counted() {
    isolated(async {
        let (runs, began) = (AtomicU32::new(0), Instant::now());
        assert_eq!(refused_inside(&runs).await, Ok(()));
        for _ in 0..3 {
            let refused = refused_inside(&runs).await.unwrap_err();
            assert!(matches!(refused, Error::Refused(it) if it.kind == RefusedKind::RateLimited));
        }
        assert_eq!((runs.into_inner(), began.elapsed()), (1, Duration::ZERO));
    })
    .await;
}

/// A cache outside is asked once, and filled by the attempt that ends well.
#[cached("1m", name = "nesting.filled")]
#[rate_limited(2, per = "1m")]
#[retry(3, delay = "1ms")]
async fn filled_once(id: u32) -> Result<u32, Error> {
    match RUNS.fetch_add(1, Ordering::Relaxed) {
        0 => Err(Error::Other("again")),
        it => Ok(it + id),
    }
}

#[tokio::test(start_paused = true)]
async fn hits_use_up_no_limit() {
    isolated(async {
        for _ in 0..10 {
            assert_eq!(filled_once(1).await, Ok(2));
        }
        assert_eq!(RUNS.load(Ordering::Relaxed), 2);
    })
    .await;
}

/// The permit is held for all attempts.
#[bulkhead(1, name = "nesting.permit")]
#[retry(2, delay = "1s", jitter = false)]
async fn permit_outside() -> Result<(), Error> {
    Err(Error::Other("bad"))
}

#[tokio::test(start_paused = true)]
async fn a_bulkhead_outside_holds_its_place_over_all_attempts() {
    isolated(async {
        let (first, second) = tokio::join!(permit_outside(), permit_outside());
        assert_eq!(first, Err(Error::Other("bad")));
        assert!(matches!(second, Err(Error::Refused(it)) if it.kind == RefusedKind::BulkheadFull));
    })
    .await;
}

struct Generic<T>(T);

impl<T> Generic<T> {
    #[cached("1m", name = "nesting.of_type")]
    async fn of_type() -> &'static str {
        type_name::<T>()
    }

    #[cached("1m", key = (), name = "nesting.of_method")]
    async fn of_method<U>(&self) -> String {
        let _ = &self.0;
        format!("{} {}", type_name::<T>(), type_name::<U>())
    }
}

trait Named {
    #[cached("1m", key = (), name = "nesting.provided")]
    async fn provided(&self) -> &'static str {
        type_name::<Self>()
    }
}

impl Named for u8 {}
impl Named for str {}
impl Named for Generic<&str> {}

#[tokio::test]
async fn instances_of_a_generic_function_do_not_meet() {
    isolated(async {
        for _ in 0..2 {
            assert_eq!((Generic::<u8>::of_type().await, Generic::<u16>::of_type().await), ("u8", "u16"));
            assert_eq!(Generic(1u8).of_method::<u16>().await, "u8 u16");
            assert_eq!(Generic(1u16).of_method::<u8>().await, "u16 u8");
            assert_eq!(Generic(1u8).of_method::<u8>().await, "u8 u8");
            let text = String::from("not for ever");
            assert_eq!((1u8.provided().await, "text".provided().await), ("u8", "str"));
            assert!(Generic(text.as_str()).provided().await.contains("Generic<&str>"));
        }
    })
    .await;
}
