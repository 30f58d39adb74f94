//! `#[timeout]`, by its cell.

use std::{
    cell::Cell,
    future::{pending, poll_fn, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::Poll,
    time::Duration,
};

use ddd_core::{
    __private::policies::TimeoutSettings, Classify, ErrorKind, Refused, RefusedKind, ports::Policy, testing::isolated,
};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::{
    cell,
    support::{figure, settings},
};

const TWO_SECONDS: TimeoutSettings = TimeoutSettings::new(Duration::from_secs(2));

/// Says when it is dropped.
struct Flag(Arc<AtomicBool>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_takes_too_long_is_dropped_at_the_deadline() {
    let cell = cell!(TimeoutCell, TWO_SECONDS);
    isolated(async {
        let (started, dropped) = (Instant::now(), Arc::new(AtomicBool::new(false)));
        let flag = Flag(dropped.clone());
        let body = async move {
            let _flag = flag;
            pending::<Result<(), Refused>>().await
        };
        let refused = cell.within(body).await.unwrap_err();
        assert!(dropped.load(Ordering::SeqCst));
        assert_eq!((refused.kind, refused.retry_after), (RefusedKind::TimedOut, None));
        assert_eq!(Classify::kind(&refused), ErrorKind::Timeout);
        assert_eq!(started.elapsed(), Duration::from_secs(2));
        assert_eq!((figure(cell, "in_time"), figure(cell, "timed_out")), (0, 1));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_ends_in_time_is_left_alone() {
    let cell = cell!(TimeoutCell, TWO_SECONDS);
    isolated(async {
        let body = async {
            sleep(Duration::from_millis(1_999)).await;
            Ok::<_, Refused>(7)
        };
        assert_eq!(cell.within(body).await.unwrap(), 7);
        // Also right at the deadline: the body is asked first.
        let body = async {
            sleep(Duration::from_secs(2)).await;
            Ok::<_, Refused>(8)
        };
        assert_eq!(cell.within(body).await.unwrap(), 8);
        assert_eq!((figure(cell, "in_time"), figure(cell, "timed_out")), (2, 0));
    })
    .await;
}

#[test]
fn a_body_that_ends_when_it_is_first_polled_sets_no_timer() {
    let cell = cell!(TimeoutCell, TWO_SECONDS);
    let body = || futures_util::FutureExt::now_or_never(cell.within(ready(Ok::<_, Refused>(7))));
    // Outside of a runtime a timer would panic.
    assert_eq!(body(), Some(Ok(7)));
}

#[tokio::test(start_paused = true)]
async fn what_refused_the_body_is_handed_on() {
    let cell = cell!(TimeoutCell, TWO_SECONDS);
    let inner = Refused::new(RefusedKind::BulkheadFull, "another", None);
    assert_eq!(cell.within(ready(Err::<(), _>(inner.clone()))).await, Err(inner));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_waits_for_long_meets_its_deadline() {
    let cell = cell!(TimeoutCell, TWO_SECONDS);
    isolated(async {
        // It uses up its share of the thread again and again.
        let body = async {
            let semaphore = tokio::sync::Semaphore::new(1);
            loop {
                drop(semaphore.acquire().await.unwrap());
                tokio::time::advance(Duration::from_millis(1)).await;
            }
        };
        let refused: Result<(), _> = cell.within(body).await;
        assert_eq!(refused.unwrap_err().kind, RefusedKind::TimedOut);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_is_polled_once_for_each_wake_up() {
    let cell = cell!(TimeoutCell, TWO_SECONDS);
    let polls = AtomicU32::new(0);
    let body = poll_fn(|context| {
        if polls.fetch_add(1, Ordering::SeqCst) == 0 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok::<_, Refused>(()))
    });
    cell.within(body).await.unwrap();
    assert_eq!(polls.load(Ordering::SeqCst), 2);
}

#[tokio::test(start_paused = true)]
async fn a_changed_timeout_holds_for_the_calls_that_begin_after_it() {
    let cell = cell!(TimeoutCell, TWO_SECONDS);
    isolated(async {
        let started = Instant::now();
        let changed = Cell::new(false);
        let body = async {
            cell.change(&settings(json!({"duration": "5s"}))).unwrap();
            changed.set(true);
            pending::<Result<(), Refused>>().await
        };
        cell.within(body).await.unwrap_err();
        assert_eq!(started.elapsed(), Duration::from_secs(2));
        cell.within(pending::<Result<(), Refused>>()).await.unwrap_err();
        assert_eq!(started.elapsed(), Duration::from_secs(7));
        let error = cell.change(&settings(json!({"duration": "0s"}))).unwrap_err().to_string();
        assert!(error.starts_with("`duration` is zero"), "{error}");
        assert_eq!(cell.effective()["duration"], "5s");
        cell.reset();
        assert_eq!(cell.effective(), cell.annotated());
        assert_eq!(figure(cell, "timed_out"), 0);
    })
    .await;
}
