//! `#[retry]` and `#[circuit_breaker]` on functions, alone and with other policies.

use std::{
    future::pending,
    panic::AssertUnwindSafe,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use ddd_core::{
    Classify, ErrorKind, Forced, PolicyKind, Refused, RefusedKind, circuit_breaker, policies, rate_limited, retry,
    testing::isolated, timeout,
};
use futures_util::FutureExt;
use serde_json::json;
use tokio::time::Instant;

use crate::support::settings;

#[derive(Debug, PartialEq)]
enum BankError {
    Wrong(&'static str),
    Away { attempt: u32 },
    Busy { for_seconds: u64 },
    Refused(Refused),
}

impl From<Refused> for BankError {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl Classify for BankError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Wrong(_) => ErrorKind::Invalid,
            Self::Away { .. } => ErrorKind::Unavailable,
            Self::Busy { .. } => ErrorKind::RateLimited,
            Self::Refused(refused) => refused.kind(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { for_seconds } => Some(Duration::from_secs(*for_seconds)),
            _ => None,
        }
    }
}

/// Which attempt it is, in a counter of the test's.
fn next(counter: &AtomicU32) -> u32 {
    counter.fetch_add(1, Ordering::Relaxed) + 1
}

fn number(name: &str, kind: PolicyKind, figure: &str) -> u64 {
    let all = policies().get(name).unwrap();
    let one = all.iter().find(|it| it.kind == kind).unwrap();
    one.figures[figure].as_u64().unwrap_or_else(|| panic!("{figure} in {:?}", one.figures))
}

fn state(name: &str) -> String {
    let all = policies().get(name).unwrap();
    let one = all.iter().find(|it| it.kind == PolicyKind::CircuitBreaker).unwrap();
    one.figures["state"].as_str().unwrap().to_owned()
}

#[retry(4, delay = "1s", jitter = false, name = "transfer")]
async fn transfer(attempts: &AtomicU32, from: u64) -> Result<u64, BankError> {
    match (from, next(attempts)) {
        (0, _) => Err(BankError::Wrong("no such account")),
        (1, attempt) => Err(BankError::Away { attempt }),
        (2, 1) => Err(BankError::Busy { for_seconds: 20 }),
        (from, _) => Ok(from),
    }
}

#[tokio::test(start_paused = true)]
async fn the_kind_of_an_error_decides_and_the_last_one_is_returned() {
    isolated(async {
        let attempts = AtomicU32::new(0);
        assert_eq!(transfer(&attempts, 0).await, Err(BankError::Wrong("no such account")));
        assert_eq!(attempts.swap(0, Ordering::Relaxed), 1, "what is wrong stays wrong");
        assert_eq!(transfer(&attempts, 1).await, Err(BankError::Away { attempt: 4 }));
        assert_eq!(attempts.swap(0, Ordering::Relaxed), 4);
        let began = Instant::now();
        assert_eq!(transfer(&attempts, 2).await, Ok(2));
        assert_eq!(began.elapsed(), Duration::from_secs(21), "as long as the bank said, and the pause");
        assert_eq!(number("transfer", PolicyKind::Retry, "recovered"), 1);
    })
    .await;
}

#[retry(3, delay = "1ms", when = |it: &u32| *it < 3)]
async fn plain(attempts: &AtomicU32) -> u32 {
    next(attempts)
}

#[retry(3, delay = "1ms", when = |it: &BankError| matches!(it, BankError::Wrong(_)))]
async fn picky(attempts: &AtomicU32, error: fn(u32) -> BankError) -> Result<(), BankError> {
    Err(error(next(attempts)))
}

#[tokio::test(start_paused = true)]
async fn the_user_can_say_what_is_tried_again() {
    isolated(async {
        assert_eq!(plain(&AtomicU32::new(0)).await, 3);
        let attempts = AtomicU32::new(0);
        picky(&attempts, |_| BankError::Wrong("not yet")).await.unwrap_err();
        assert_eq!(attempts.swap(0, Ordering::Relaxed), 3);
        picky(&attempts, |attempt| BankError::Away { attempt }).await.unwrap_err();
        assert_eq!(attempts.into_inner(), 1);
    })
    .await;
}

#[retry(5, delay = "1ms")]
#[rate_limited(2, per = "1h")]
async fn refused_inside(attempts: &AtomicU32) -> Result<u32, BankError> {
    match next(attempts) {
        1 => Err(BankError::Away { attempt: 1 }),
        attempt => Ok(attempt),
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_tried_again() {
    isolated(async {
        let attempts = AtomicU32::new(0);
        assert_eq!(refused_inside(&attempts).await, Ok(2));
        let Err(BankError::Refused(refused)) = refused_inside(&attempts).await else { panic!("two are allowed") };
        assert_eq!(refused.kind, RefusedKind::RateLimited);
        assert_eq!(attempts.into_inner(), 2);
    })
    .await;
}

#[retry(3, delay = "1s", jitter = false)]
#[timeout("10s")]
async fn hangs_twice(attempts: &AtomicU32) -> Result<u32, BankError> {
    match next(attempts) {
        attempt @ 3.. => Ok(attempt),
        _ => pending().await,
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_tried_again() {
    isolated(async {
        let (attempts, began) = (AtomicU32::new(0), Instant::now());
        assert_eq!(hangs_twice(&attempts).await, Ok(3));
        assert_eq!(began.elapsed(), Duration::from_secs(10 + 1 + 10 + 2));
    })
    .await;
}

#[circuit_breaker(min_calls = 2, window = 4, name = "judged")]
#[rate_limited(100, per = "1h")]
#[timeout("10s")]
async fn judged(body: impl Future<Output = Result<u32, BankError>>) -> Result<u32, BankError> {
    body.await
}

#[tokio::test(start_paused = true)]
async fn only_what_is_called_can_open_a_circuit() {
    isolated(async {
        for _ in 0..100 {
            judged(async { Err(BankError::Wrong("the caller's own fault")) }).await.unwrap_err();
        }
        for _ in 0..100 {
            let Err(BankError::Refused(refused)) = judged(async { Ok(1) }).await else {
                panic!("the limit is used up")
            };
            assert_eq!(refused.kind, RefusedKind::RateLimited);
        }
        assert_eq!(state("judged"), "closed");
        assert_eq!(number("judged", PolicyKind::CircuitBreaker, "ignored"), 200);
        tokio::time::advance(Duration::from_secs(2 * 3_600)).await;
        for _ in 0..2 {
            let Err(BankError::Refused(refused)) = judged(pending()).await else { panic!("it hangs") };
            assert_eq!(refused.kind, RefusedKind::TimedOut);
        }
        assert_eq!(state("judged"), "open");
        let Err(BankError::Refused(refused)) = judged(async { Ok(1) }).await else { panic!("it is open") };
        assert_eq!((refused.kind, refused.policy), (RefusedKind::CircuitOpen, "judged"));
        assert_eq!(refused.retry_after, Some(Duration::from_secs(60)));
    })
    .await;
}

#[circuit_breaker(min_calls = 2, window = 4, name = "left")]
async fn left(body: impl Future<Output = Result<u32, BankError>>) -> Result<u32, BankError> {
    body.await
}

#[tokio::test(start_paused = true)]
async fn who_leaves_counts_as_nothing_and_who_panics_as_a_failure() {
    isolated(async {
        for _ in 0..100 {
            let mut leaving = Box::pin(left(pending()));
            assert!(leaving.as_mut().now_or_never().is_none());
            drop(leaving);
        }
        assert_eq!(state("left"), "closed");
        for _ in 0..2 {
            let panicking = AssertUnwindSafe(left(async { panic!("on purpose") })).catch_unwind();
            assert!(panicking.await.is_err());
        }
        assert_eq!(state("left"), "open");
        // Half open: as many leave as like to, and there are still probes.
        tokio::time::advance(Duration::from_secs(60)).await;
        for _ in 0..10 {
            let mut leaving = Box::pin(left(pending()));
            assert!(leaving.as_mut().now_or_never().is_none());
        }
        assert_eq!(state("left"), "half_open");
        assert_eq!(left(async { Ok(1) }).await, Ok(1));
        assert_eq!(left(async { Ok(1) }).await, Ok(1));
        assert_eq!(state("left"), "closed");
    })
    .await;
}

#[retry(10, delay = "1ms")]
#[circuit_breaker(min_calls = 3, window = 10, name = "ends_retries")]
async fn ends_retries(attempts: &AtomicU32) -> Result<(), BankError> {
    Err(BankError::Away { attempt: next(attempts) })
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_opens_ends_the_retries_around_it() {
    isolated(async {
        let attempts = AtomicU32::new(0);
        let Err(BankError::Refused(refused)) = ends_retries(&attempts).await else { panic!("three failures open it") };
        assert_eq!((refused.kind, attempts.into_inner()), (RefusedKind::CircuitOpen, 3));
    })
    .await;
}

#[circuit_breaker(min_calls = 2, window = 10, name = "one_bank")]
async fn pay() -> Result<(), BankError> {
    Err(BankError::Away { attempt: 1 })
}

#[circuit_breaker(min_calls = 2, window = 10, name = "one_bank")]
async fn refund() -> Result<(), BankError> {
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn functions_share_a_breaker_by_its_name() {
    isolated(async {
        refund().await.unwrap();
        pay().await.unwrap_err();
        let refused = Refused::new(RefusedKind::CircuitOpen, "one_bank", Some(Duration::from_secs(60)));
        assert_eq!(refund().await, Err(BankError::Refused(refused)));
        assert_eq!(policies().get("one_bank").unwrap().len(), 2);
        policies().force("one_bank", Forced::Closed).unwrap();
        refund().await.unwrap();
        policies().force("one_bank", Forced::Released).unwrap();
        policies().change("one_bank", PolicyKind::CircuitBreaker, &settings(json!({ "min_calls": 3 }))).unwrap();
        pay().await.unwrap_err();
        pay().await.unwrap_err();
        refund().await.unwrap();
        policies().reset("one_bank", None).unwrap();
        pay().await.unwrap_err();
        assert_eq!(state("one_bank"), "open");
        policies().clear("one_bank", Some(PolicyKind::CircuitBreaker)).unwrap();
        refund().await.unwrap();
        let error = policies().force("transfer", Forced::Open).unwrap_err().to_string();
        assert!(error.contains("`transfer` has no policy of the kind `circuit_breaker`; it has `retry`"), "{error}");
    })
    .await;
}
