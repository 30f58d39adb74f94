//! Settings that change while the program runs, and clocks that do not go forward.

use std::time::Duration;

use ddd_core::{
    __private::policies::{RateLimitedSettings, Strategy},
    ports::Policy,
    testing::isolated_with_clock,
};
use serde_json::json;

use crate::{
    cell,
    support::{Clock, Seed, figure, seeds, settings},
};

const MINUTE: Duration = Duration::from_secs(60);
const STRATEGIES: [Strategy; 3] = [Strategy::SlidingWindow, Strategy::TokenBucket, Strategy::FixedWindow];

#[tokio::test]
async fn a_changed_limit_holds_from_that_moment() {
    for (strategy, key) in STRATEGIES.iter().flat_map(|it| [(*it, None), (*it, Some("key"))]) {
        let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(10).per(MINUTE));
        let clock = Clock::default();
        clock.advance(MINUTE * 60);
        let call = || match key {
            Some(key) => cell.try_admit(key, 1),
            None => cell.try_admit((), 1),
        };
        let passes = || (0..1_000).take_while(|_| call().is_ok()).count();
        isolated_with_clock(clock.read(), async {
            cell.change(&settings(json!({ "strategy": strategy.as_str() }))).unwrap();
            assert_eq!(passes(), 10);
            cell.change(&settings(json!({"limit": 15}))).unwrap();
            // A bucket that was empty stays empty; counted calls stay counted.
            let more = if strategy == Strategy::TokenBucket { 0..=5 } else { 5..=5 };
            let passed = passes();
            assert!(more.contains(&passed), "{strategy}, {key:?}: {passed}");
            clock.advance(MINUTE);
            assert_eq!(passes(), 15, "{strategy}, {key:?}");
            cell.change(&settings(json!({"limit": 5, "per": "1h"}))).unwrap();
            assert_eq!(passes(), 0, "{strategy}, {key:?}");
            clock.advance(MINUTE * 120);
            assert_eq!(passes(), 5, "{strategy}, {key:?}");
            cell.clear();
            assert_eq!(passes(), 5, "{strategy}, {key:?}: cleared");
            cell.reset();
            assert_eq!(cell.effective(), cell.annotated());
            assert_eq!((figure(cell, "allowed"), figure(cell, "refused")), (0, 0));
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_no_setting_changes_nothing() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new());
    isolated_with_clock(Clock::default().read(), async {
        let before = cell.effective();
        let wrong = [
            (json!({"limt": 3}), "`limt`: there is no such setting; did you mean `limit`?"),
            (json!({"limit": 3, "per": "soon"}), "`per`: `soon` is no duration"),
            (json!({"limit": 0}), "`limit` is 0"),
            (json!({"strategy": "leaky"}), "`strategy`: unknown variant `leaky`"),
            (json!({"scope": "shared"}), "`scope`: cannot change while the program runs"),
            (json!({"burst": 3}), "`burst` has no effect under this strategy"),
        ];
        for (change, expected) in wrong {
            let error = cell.change(&settings(change)).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
            assert_eq!(cell.effective(), before);
        }
    })
    .await;
}

#[tokio::test]
async fn a_function_without_a_place_to_wait_cannot_be_made_to_wait() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new());
    isolated_with_clock(Clock::default().read(), async {
        let error = cell.change(&settings(json!({"wait": "1s"}))).unwrap_err().to_string();
        assert!(error.starts_with("`wait`: the attribute has no `wait`"), "{error}");
    })
    .await;
    let waits = cell!(RateLimitedCell, RateLimitedSettings::new().wait(MINUTE));
    isolated_with_clock(Clock::default().read(), async {
        waits.change(&settings(json!({"wait": "0s"}))).unwrap();
        waits.change(&settings(json!({"wait": "1s"}))).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_goes_back_admits_nothing_extra() {
    for seed in seeds(300) {
        let _guard = Seed(seed);
        let mut random = fastrand::Rng::with_seed(seed);
        let strategy = STRATEGIES[random.usize(..3)];
        let limit = if random.bool() { 1 + random.u32(..20) } else { 100 };
        let keyed = random.bool();
        let cell = cell!(RateLimitedCell, RateLimitedSettings::new());
        let clock = Clock::default();
        isolated_with_clock(clock.read(), async {
            let change = json!({"strategy": strategy.as_str(), "limit": limit, "per": "1s"});
            cell.change(&settings(change)).unwrap();
            let mut passed = 0;
            for _ in 0..2_000 {
                // Back and forth within ten periods.
                clock.set(Duration::from_nanos(random.u64(..10_000_000_000)));
                let answer = if keyed { cell.try_admit(random.u8(..2), 1) } else { cell.try_admit((), 1) };
                passed += u32::from(answer.is_ok());
            }
            let keys = if keyed { 2 } else { 1 };
            // A clock that only goes forward gives so much in that time, to each.
            let most = limit * 11 * keys;
            assert!(passed <= most, "{strategy}, {limit}: {passed} of {most}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_clock_that_stands_still_ends_no_refusal() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(2));
    isolated_with_clock(Clock::default().read(), async {
        cell.try_admit((), 1).unwrap();
        cell.try_admit((), 1).unwrap();
        for _ in 0..100 {
            let refused = cell.try_admit((), 1).unwrap_err();
            assert_eq!(refused.retry_after, Some(MINUTE));
        }
    })
    .await;
}
