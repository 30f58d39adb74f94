//! A limit by hand.

use std::time::Duration;

use ddd_core::{
    __private::policies::RateLimitedSettings,
    App, LimitHandle, Moment, Refused, RefusedKind, StoreErrorKind,
    domain::Strategy,
    rate_limited,
    testing::{IsolatedPolicies, MemoryLimitStore, isolated},
};
use futures_util::FutureExt;
use tokio::time::{Instant, advance};

use crate::{cell, support::figure};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

struct Search {
    tenant: u64,
}

impl Search {
    #[rate_limited(3, per = "1s", key = self.tenant, handle = Self::LIMIT: u64, name = "handle_of_method")]
    async fn find(&self, text: &str) -> Result<usize, Refused> {
        Ok(text.len())
    }
}

/// Of borrowed keys, and on a function that is not async.
#[rate_limited(2, per = "1s", key = name, handle = GREETINGS: str, name = "handle_of_text")]
fn greet(name: &str) -> Result<usize, Refused> {
    Ok(name.len())
}

#[rate_limited(2, per = "1s", handle = ALL: (), name = "handle_of_all")]
async fn generic<T: Send>(value: T) -> Result<T, Refused> {
    Ok(value)
}

#[tokio::test(start_paused = true)]
async fn it_shares_the_limit_with_the_calls() {
    isolated(async {
        let (seven, eight) = (Search { tenant: 7 }, Search { tenant: 8 });
        seven.find("a").await.unwrap();
        Search::LIMIT.acquire(&7, 2).await.unwrap();
        let refused = seven.find("b").await.unwrap_err();
        assert_eq!((refused.kind, refused.retry_after), (RefusedKind::RateLimited, Some(SECOND)));
        assert_eq!(Search::LIMIT.acquire(&7, 1).await.unwrap_err(), refused);
        Search::LIMIT.acquire(&7, 0).await.unwrap();
        eight.find("c").await.unwrap();
        let state = Search::LIMIT.state(&7).await.unwrap();
        assert_eq!((state.remaining, state.retry_after, state.reset_after), (0, Some(SECOND), SECOND));
        assert_eq!(Search::LIMIT.state(&8).await.unwrap().remaining, 2);
        let unseen = Search::LIMIT.state(&9).await.unwrap();
        assert_eq!(
            (unseen.remaining, unseen.retry_after, unseen.reset_after),
            (3, Some(Duration::ZERO), Duration::ZERO)
        );
        Search::LIMIT.forget(&7).await.unwrap();
        for _ in 0..3 {
            seven.find("d").await.unwrap();
        }
        assert_eq!(Search::LIMIT.state(&8).await.unwrap().remaining, 2, "of nobody else");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn it_is_of_the_type_of_the_key() {
    isolated(async {
        greet("ada").unwrap();
        let by_name: &str = &String::from("ada");
        assert_eq!(GREETINGS.state(by_name).await.unwrap().remaining, 1);
        generic(1).await.unwrap();
        generic("two").await.unwrap();
        assert_eq!(ALL.state(&()).await.unwrap().remaining, 0);
        ALL.give_back(&(), 1).await.unwrap();
        generic(3).await.unwrap();
        generic(4).await.unwrap_err();
        ALL.forget(&()).await.unwrap();
        ALL.acquire(&(), 2).await.unwrap();
        generic(5).await.unwrap_err();
    })
    .await;
}

/// What a state says is what then happens, whatever was done before.
#[tokio::test(start_paused = true)]
async fn a_state_says_what_then_happens() {
    const STRATEGIES: [Strategy; 3] = [Strategy::SlidingWindow, Strategy::TokenBucket, Strategy::FixedWindow];
    let cells = [
        cell!(RateLimitedCell, RateLimitedSettings::new().limit(5).per(SECOND).strategy(STRATEGIES[0])),
        cell!(RateLimitedCell, RateLimitedSettings::new().limit(5).per(SECOND).strategy(STRATEGIES[1])),
        cell!(RateLimitedCell, RateLimitedSettings::new().limit(5).per(SECOND).strategy(STRATEGIES[2])),
    ];
    let (seed, mut passed) = (fastrand::u64(..), 0);
    let mut random = fastrand::Rng::with_seed(seed);
    isolated(async {
        for cell in cells {
            let keyed: LimitHandle<u8> = LimitHandle::new(cell);
            let plain: LimitHandle<()> = LimitHandle::without_key(cell);
            for step in 0..2_000 {
                let has_key = random.bool();
                let state = if has_key { keyed.state(&1).await } else { plain.state(&()).await }.unwrap();
                match random.u8(..6) {
                    0 if has_key => keyed.give_back(&1, random.u32(..3)).await.unwrap(),
                    0 => plain.give_back(&(), random.u32(..3)).await.unwrap(),
                    1 => advance(Duration::from_millis(random.u64(..300))).await,
                    2 => {
                        let cost = random.u32(1..=5);
                        let taken =
                            if has_key { keyed.acquire(&1, cost).await } else { plain.acquire(&(), cost).await };
                        assert_eq!(
                            taken.is_ok(),
                            cost <= state.remaining,
                            "seed {seed}, step {step}: {cost} of {state:?}"
                        );
                        passed += u32::from(taken.is_ok());
                    }
                    _ => {
                        let taken = if has_key { keyed.acquire(&1, 1).await } else { plain.acquire(&(), 1).await };
                        let wait = taken.err().map_or(Duration::ZERO, |it| it.retry_after.unwrap());
                        assert_eq!(Some(wait), state.retry_after, "seed {seed}, step {step}: {state:?}");
                        passed += u32::from(wait.is_zero());
                    }
                }
            }
            let reset = keyed.state(&1).await.unwrap().reset_after.max(plain.state(&()).await.unwrap().reset_after);
            advance(reset).await;
            for state in [keyed.state(&1).await.unwrap(), plain.state(&()).await.unwrap()] {
                assert_eq!((state.remaining, state.reset_after), (5, Duration::ZERO), "seed {seed}");
            }
        }
    })
    .await;
    assert!(passed > 100, "{passed}");
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_is_for_those_who_wait() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(1).per(MINUTE).wait(MINUTE));
    isolated(async {
        let handle: LimitHandle<()> = LimitHandle::without_key(cell);
        handle.acquire(&(), 1).await.unwrap();
        let began = Instant::now();
        let mut waiting = Box::pin(handle.acquire(&(), 1));
        assert!(waiting.as_mut().now_or_never().is_none());
        handle.give_back(&(), 1).await.unwrap();
        waiting.await.unwrap();
        assert!(began.elapsed() < SECOND, "{:?}", began.elapsed());
        assert_eq!(figure(cell, "allowed"), 2);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_shared_limit_is_looked_at_in_its_store() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(3).per(SECOND).shared());
    let handle: LimitHandle<u8> = LimitHandle::new(cell);
    let started = Instant::now();
    let store = MemoryLimitStore::new(move || Moment::default().after(SECOND + started.elapsed()));
    let processes = [IsolatedPolicies::start(), IsolatedPolicies::start()];
    for process in &processes {
        let app = App::builder().limit_store(std::sync::Arc::new(store.clone())).submit_only().build();
        drop(process.scope(app).await.unwrap());
    }
    processes[0].scope(handle.acquire(&1, 3)).await.unwrap();
    assert_eq!(processes[1].scope(handle.state(&1)).await.unwrap().remaining, 0);
    processes[1].scope(handle.give_back(&1, 1)).await.unwrap();
    processes[0].scope(handle.acquire(&1, 1)).await.unwrap();
    processes[1].scope(handle.acquire(&1, 1)).await.unwrap_err();
    processes[0].scope(handle.forget(&1)).await.unwrap();
    processes[1].scope(handle.acquire(&1, 3)).await.unwrap();
    store.set_away(true);
    let error = processes[0].scope(handle.state(&1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    isolated(async {
        let error = handle.forget(&1).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "without an application");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_of_a_shared_limit_is_given_back_once() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(3).per(MINUTE).shared());
    let handle: LimitHandle<u8> = LimitHandle::new(cell);
    let started = Instant::now();
    let store = MemoryLimitStore::new(move || Moment::default().after(SECOND + started.elapsed()));
    isolated(async {
        let app = App::builder().limit_store(std::sync::Arc::new(store.clone())).submit_only().build();
        drop(app.await.unwrap());
        store.set_away(true);
        handle.acquire(&1, 3).await.unwrap();
        store.set_away(false);
        handle.acquire(&1, 2).await.unwrap();
        handle.give_back(&1, 2).await.unwrap();
        assert_eq!(handle.state(&1).await.unwrap().remaining, 3);
        store.set_away(true);
        handle.acquire(&1, 1).await.expect_err("what this process took by itself is not given back");
        let error = handle.give_back(&1, 1).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        handle.acquire(&1, 1).await.expect("now it is");
        store.set_away(false);
        assert_eq!(handle.state(&1).await.unwrap().remaining, 3);
    })
    .await;
}
