//! What each strategy promises, in every window; and that a refusal says to the nanosecond when there is room.

use std::{num::NonZeroU32, time::Duration};

use ddd_core::{
    __private::policies::{RateLimitedSettings, Strategy},
    testing::isolated_with_clock,
};
use governor::{Quota, RateLimiter, clock::FakeRelativeClock};

use super::patterns::{Arrivals, Promise};
use crate::{
    cell,
    support::{Clock, Seed, seeds},
};

async fn holds_in_every_window(strategy: Strategy) {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new());
    for seed in seeds(1_000) {
        let guard = Seed(seed);
        let mut random = fastrand::Rng::with_seed(seed);
        let clock = Clock::default();
        clock.advance(Duration::from_nanos(random.u64(..1 << 40)));
        isolated_with_clock(clock.read(), async {
            let promise = Promise::random(strategy, &mut random);
            promise.apply(cell);
            let key = random.bool().then(|| random.u64(..));
            Arrivals { cell, promise: &promise, clock: &clock, key }.run(300, &mut random);
        })
        .await;
        drop(guard);
    }
}

#[tokio::test]
async fn a_sliding_window_holds_in_every_window() {
    holds_in_every_window(Strategy::SlidingWindow).await;
}

#[tokio::test]
async fn a_token_bucket_holds_in_every_window() {
    holds_in_every_window(Strategy::TokenBucket).await;
}

#[tokio::test]
async fn a_fixed_window_holds_in_every_piece() {
    holds_in_every_window(Strategy::FixedWindow).await;
}

#[tokio::test]
async fn a_token_bucket_agrees_with_governor() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new());
    for seed in seeds(1_000) {
        let guard = Seed(seed);
        let mut random = fastrand::Rng::with_seed(seed);
        let (interval, burst) = (1 + random.u64(..1_000_000), 1 + random.u32(..100));
        let (clock, theirs) = (Clock::default(), FakeRelativeClock::default());
        let quota = Quota::with_period(Duration::from_nanos(interval)).unwrap();
        let oracle = RateLimiter::direct_with_clock(quota.allow_burst(NonZeroU32::new(burst).unwrap()), theirs.clone());
        isolated_with_clock(clock.read(), async {
            let limit = 1 + random.u64(..50);
            let promise = Promise {
                strategy: Strategy::TokenBucket,
                limits: vec![(limit, interval * limit)],
                burst: Some(burst.into()),
            };
            promise.apply(cell);
            let ours = Arrivals { cell, promise: &promise, clock: &clock, key: random.bool().then_some(7) };
            for _ in 0..300 {
                let step = Duration::from_nanos(random.u64(..3 * interval));
                clock.advance(step);
                theirs.advance(step);
                let cost = NonZeroU32::new(if random.bool() { 1 } else { 1 + random.u32(..burst + 5) }).unwrap();
                let passed = ours.call(cost.get().into());
                match oracle.check_n(cost) {
                    Ok(Ok(())) => passed.expect("governor lets it pass"),
                    Ok(Err(until)) => {
                        let refused = passed.expect_err("governor refuses it");
                        let wait = until.wait_time_from(governor::clock::Clock::now(&theirs));
                        assert_eq!(refused.retry_after, Some(wait));
                    }
                    Err(_) => {
                        let refused = passed.expect_err("it is over the whole bucket");
                        assert_eq!(refused.retry_after, None);
                    }
                }
            }
        })
        .await;
        drop(guard);
    }
}
