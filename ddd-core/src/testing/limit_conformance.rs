//! The contract of [`LimitStore`] as tests, for authors of stores.
//!
//! ```
//! mod my_store {
//!     use std::{sync::{Arc, atomic::{AtomicU64, Ordering::SeqCst}}, time::Duration};
//!
//!     use ddd_core::{Moment, testing::{MemoryLimitStore, limit_conformance::LimitStoreUnderTest}};
//!
//!     pub async fn fresh() -> LimitStoreUnderTest {
//!         let clock = Arc::new(AtomicU64::new(0));
//!         let read = clock.clone();
//!         let store = MemoryLimitStore::new(move || Moment::from_nanos(read.load(SeqCst)));
//!         let advance = move |by: Duration| drop(clock.fetch_add(by.as_nanos() as u64, SeqCst));
//!         LimitStoreUnderTest::new(Arc::new(store), advance)
//!     }
//!
//!     ddd_core::testing::limit_store_conformance!(crate::my_store::fresh());
//! }
//! # fn main() {}
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panics")]

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    domain::{LimitKey, LimitState, RateLimitedSettings, Strategy},
    ports::{LimitAnswer, LimitRequest, LimitStore},
};

/// Makes one `#[test]` of every rule that a [`LimitStore`](crate::LimitStore) must keep.
///
/// The argument is an expression that evaluates to a future of a fresh, empty
/// [`LimitStoreUnderTest`](crate::testing::limit_conformance::LimitStoreUnderTest); it is evaluated once in each test, so name what
/// it uses by an absolute path (`crate::…`). Tests may run at the same time, so each needs a store of its own, such as a
/// namespace of its own on one server.
#[macro_export]
macro_rules! limit_store_conformance {
    ($make:expr) => {
        $crate::limit_store_conformance! { @rules ($make)
            the_limit_passes_and_a_refusal_says_when
            a_call_takes_of_all_limits_or_of_none
            policies_and_keys_are_apart
            a_batch_is_answered_in_order
            a_burst_is_what_a_bucket_holds
            what_costs_too_much_never_passes
            the_settings_of_the_request_count
            what_is_cleared_is_unused
            a_look_takes_nothing
            what_is_given_back_can_be_taken_again
            what_a_key_used_is_forgotten_alone
            racing_calls_take_no_more_than_the_limit
        }
    };
    (@rules $make:tt $($rule:ident)*) => {
        $($crate::limit_store_conformance! { @rule $make $rule })*
    };
    (@rule ($make:expr) $rule:ident) => {
        #[test]
        fn $rule() {
            $crate::testing::conformance::run(async {
                $crate::testing::limit_conformance::$rule($make.await).await;
            });
        }
    };
}

const SECOND: Duration = Duration::from_secs(1);
const STRATEGIES: [Strategy; 3] = [Strategy::SlidingWindow, Strategy::TokenBucket, Strategy::FixedWindow];
const THREE: RateLimitedSettings = RateLimitedSettings::new().limit(3).per(SECOND).shared();

/// A fresh, empty store, and the means to let its time pass.
#[derive(Clone)]
pub struct LimitStoreUnderTest {
    store: Arc<dyn LimitStore>,
    advance: Arc<dyn Fn(Duration) + Send + Sync>,
}

impl LimitStoreUnderTest {
    /// `advance` adds to the offset that the store adds to its clock. The clock must stand still otherwise.
    pub fn new(store: Arc<dyn LimitStore>, advance: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        Self { store, advance: Arc::new(advance) }
    }

    async fn take(&self, requests: Vec<LimitRequest>) -> Vec<LimitAnswer> {
        self.store.take(requests).await.expect("the store answers")
    }

    async fn look(&self, settings: &RateLimitedSettings) -> LimitState {
        let states = self.store.look(vec![request("policy", None, settings, 1)]).await.expect("the store answers");
        states[0]
    }

    async fn one(&self, settings: &RateLimitedSettings, cost: u32) -> LimitAnswer {
        self.take(vec![request("policy", None, settings, cost)]).await[0]
    }
}

impl fmt::Debug for LimitStoreUnderTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LimitStoreUnderTest").field("kind", &self.store.kind()).finish_non_exhaustive()
    }
}

fn request(policy: &'static str, key: Option<u128>, settings: &RateLimitedSettings, cost: u32) -> LimitRequest {
    LimitRequest::new(policy, key.map(LimitKey), cost, Arc::new(settings.clone()))
}

fn wait_of(answer: LimitAnswer) -> Duration {
    match answer {
        LimitAnswer::Exceeded { retry_after: Some(wait) } => wait,
        other => panic!("no refusal that says when: {other:?}"),
    }
}

/// Each strategy lets its limit pass, refuses what is over it, and says in how long there is room: not before.
///
/// # Panics
/// The store breaks the rule.
pub async fn the_limit_passes_and_a_refusal_says_when(it: LimitStoreUnderTest) {
    for strategy in STRATEGIES {
        it.store.clear("policy").await.expect("the store answers");
        let settings = THREE.strategy(strategy);
        for _ in 0..3 {
            assert_eq!(it.one(&settings, 1).await, LimitAnswer::Taken, "{strategy}");
            (it.advance)(Duration::from_millis(10));
        }
        let wait = wait_of(it.one(&settings, 1).await);
        assert!(!wait.is_zero() && wait <= SECOND, "{strategy}: {wait:?}");
        let step = Duration::from_micros(1);
        (it.advance)(wait.saturating_sub(step));
        let still = wait_of(it.one(&settings, 1).await);
        assert!(still <= step, "{strategy}: {still:?}");
        (it.advance)(step);
        assert_eq!(it.one(&settings, 1).await, LimitAnswer::Taken, "{strategy}");
        (it.advance)(SECOND);
    }
}

/// A call that one of its limits refuses takes nothing of the others.
///
/// # Panics
/// The store breaks the rule.
pub async fn a_call_takes_of_all_limits_or_of_none(it: LimitStoreUnderTest) {
    for strategy in STRATEGIES {
        it.store.clear("policy").await.expect("the store answers");
        // Ten in a minute, of which three in a second.
        let settings = THREE.and(10, 60 * SECOND).strategy(strategy);
        let mut passed = 0;
        for _ in 0..4 {
            for _ in 0..20 {
                passed += u32::from(it.one(&settings, 1).await == LimitAnswer::Taken);
            }
            (it.advance)(SECOND);
        }
        assert_eq!(passed, 10, "{strategy}: what is refused takes nothing");
        assert!(wait_of(it.one(&settings, 1).await) > SECOND, "{strategy}: the longer wait counts");
    }
}

/// Each policy and key has a limit of its own.
///
/// # Panics
/// The store breaks the rule.
pub async fn policies_and_keys_are_apart(it: LimitStoreUnderTest) {
    for (policy, key) in [("a", None), ("a", Some(1)), ("a", Some(1 << 64)), ("b", None), ("b", Some(1))] {
        let calls = (0..4).map(|_| request(policy, key, &THREE, 1)).collect();
        let passed = it.take(calls).await.iter().filter(|it| **it == LimitAnswer::Taken).count();
        assert_eq!(passed, 3, "{policy} {key:?}");
    }
}

/// The requests of one call are answered in their order, each for itself.
///
/// # Panics
/// The store breaks the rule.
pub async fn a_batch_is_answered_in_order(it: LimitStoreUnderTest) {
    let requests = vec![
        request("policy", None, &THREE, 2),
        request("policy", None, &THREE, 2),
        request("other", None, &THREE, 3),
        request("policy", None, &THREE, 1),
    ];
    let answers = it.take(requests).await;
    assert_eq!(answers.iter().map(|it| *it == LimitAnswer::Taken).collect::<Vec<_>>(), [true, false, true, true]);
    assert!(it.take(Vec::new()).await.is_empty());
}

/// A bucket holds its burst, and fills at the limit's rate.
///
/// # Panics
/// The store breaks the rule.
pub async fn a_burst_is_what_a_bucket_holds(it: LimitStoreUnderTest) {
    let settings = RateLimitedSettings::new().limit(10).per(SECOND).burst(2).strategy(Strategy::TokenBucket).shared();
    assert_eq!(it.one(&settings, 2).await, LimitAnswer::Taken);
    assert_eq!(wait_of(it.one(&settings, 1).await), Duration::from_millis(100));
    (it.advance)(Duration::from_millis(100));
    assert_eq!(it.one(&settings, 1).await, LimitAnswer::Taken);
    (it.advance)(10 * SECOND);
    assert_eq!(it.one(&settings, 2).await, LimitAnswer::Taken);
    assert!(!wait_of(it.one(&settings, 1).await).is_zero(), "it holds no more than its burst");
}

/// What costs more than a whole limit is refused for ever, and takes nothing.
///
/// # Panics
/// The store breaks the rule.
pub async fn what_costs_too_much_never_passes(it: LimitStoreUnderTest) {
    for strategy in STRATEGIES {
        it.store.clear("policy").await.expect("the store answers");
        let settings = THREE.strategy(strategy);
        assert_eq!(it.one(&settings, 4).await, LimitAnswer::Exceeded { retry_after: None }, "{strategy}");
        assert_eq!(it.one(&settings, 3).await, LimitAnswer::Taken, "{strategy}");
        (it.advance)(2 * SECOND);
    }
}

/// The limit of a request counts, with what was used under another one.
///
/// # Panics
/// The store breaks the rule.
pub async fn the_settings_of_the_request_count(it: LimitStoreUnderTest) {
    for strategy in [Strategy::SlidingWindow, Strategy::FixedWindow] {
        it.store.clear("policy").await.expect("the store answers");
        let (three, five, two) =
            (THREE.strategy(strategy), THREE.limit(5).strategy(strategy), THREE.limit(2).strategy(strategy));
        assert_eq!(it.one(&three, 3).await, LimitAnswer::Taken, "{strategy}");
        wait_of(it.one(&three, 1).await);
        assert_eq!(it.one(&five, 2).await, LimitAnswer::Taken, "{strategy}");
        wait_of(it.one(&five, 1).await);
        (it.advance)(2 * SECOND);
        assert_eq!(it.one(&two, 2).await, LimitAnswer::Taken, "{strategy}");
        wait_of(it.one(&two, 1).await);
        (it.advance)(2 * SECOND);
    }
}

/// After a policy is cleared, none of its keys has used anything; other policies are as they were.
///
/// # Panics
/// The store breaks the rule.
pub async fn what_is_cleared_is_unused(it: LimitStoreUnderTest) {
    let full = |policy, key| request(policy, key, &THREE, 3);
    it.take(vec![full("a", None), full("a", Some(1)), full("b", None)]).await;
    it.store.clear("a").await.expect("the store answers");
    let answers = it.take(vec![full("a", None), full("a", Some(1)), full("b", None)]).await;
    assert_eq!(answers[..2], [LimitAnswer::Taken, LimitAnswer::Taken]);
    wait_of(answers[2]);
}

/// How a limit stands is what then happens, and to look changes nothing.
///
/// # Panics
/// The store breaks the rule.
pub async fn a_look_takes_nothing(it: LimitStoreUnderTest) {
    for strategy in STRATEGIES {
        it.store.clear("policy").await.expect("the store answers");
        let settings = THREE.strategy(strategy);
        for left in [3, 2, 1] {
            let state = it.look(&settings).await;
            assert_eq!((state.remaining, state.retry_after), (left, Some(Duration::ZERO)), "{strategy}");
            assert_eq!(state.reset_after.is_zero(), left == 3, "{strategy}: {state:?}");
            assert_eq!(it.one(&settings, 1).await, LimitAnswer::Taken, "{strategy}");
        }
        let state = it.look(&settings).await;
        let wait = wait_of(it.one(&settings, 1).await);
        assert_eq!((state.remaining, state.retry_after), (0, Some(wait)), "{strategy}");
        assert!(state.reset_after >= wait && state.reset_after <= SECOND, "{strategy}: {state:?}");
        (it.advance)(state.reset_after);
        let state = it.look(&settings).await;
        assert_eq!((state.remaining, state.reset_after), (3, Duration::ZERO), "{strategy}");
        (it.advance)(SECOND);
    }
}

/// What is given back can be taken again, and no more than was taken.
///
/// # Panics
/// The store breaks the rule.
pub async fn what_is_given_back_can_be_taken_again(it: LimitStoreUnderTest) {
    for strategy in STRATEGIES {
        it.store.clear("policy").await.expect("the store answers");
        let settings = THREE.strategy(strategy);
        it.one(&settings, 3).await;
        it.store.give_back(vec![request("policy", None, &settings, 2)]).await.expect("the store answers");
        assert_eq!(it.look(&settings).await.remaining, 2, "{strategy}");
        assert_eq!(it.one(&settings, 2).await, LimitAnswer::Taken, "{strategy}");
        wait_of(it.one(&settings, 1).await);
        it.store.give_back(vec![request("policy", None, &settings, 100)]).await.expect("the store answers");
        assert_eq!(it.look(&settings).await.remaining, 3, "{strategy}");
        assert_eq!(it.one(&settings, 3).await, LimitAnswer::Taken, "{strategy}");
        wait_of(it.one(&settings, 1).await);
        (it.advance)(2 * SECOND);
        it.store.give_back(vec![request("policy", None, &settings, 3)]).await.expect("the store answers");
        assert_eq!(it.one(&settings, 3).await, LimitAnswer::Taken, "{strategy}");
        wait_of(it.one(&settings, 1).await);
        (it.advance)(2 * SECOND);
    }
}

/// What one key used is forgotten, and nothing else.
///
/// # Panics
/// The store breaks the rule.
pub async fn what_a_key_used_is_forgotten_alone(it: LimitStoreUnderTest) {
    let all = || [("a", None), ("a", Some(1)), ("a", Some(2)), ("b", Some(1))];
    let full = || all().map(|(policy, key)| request(policy, key, &THREE, 3)).to_vec();
    it.take(full()).await;
    it.store.forget("a", vec![Some(LimitKey(1))]).await.expect("the store answers");
    let taken = |answers: Vec<LimitAnswer>| answers.iter().map(|it| *it == LimitAnswer::Taken).collect::<Vec<_>>();
    assert_eq!(taken(it.take(full()).await), [false, true, false, false]);
    it.store.forget("a", vec![None, Some(LimitKey(2))]).await.expect("the store answers");
    assert_eq!(taken(it.take(full()).await), [true, false, true, false]);
}

/// Calls that come at the same time take no more than the limit together.
///
/// # Panics
/// The store breaks the rule.
pub async fn racing_calls_take_no_more_than_the_limit(it: LimitStoreUnderTest) {
    for strategy in STRATEGIES {
        it.store.clear("policy").await.expect("the store answers");
        let settings = RateLimitedSettings::new().limit(40).per(3_600 * SECOND).strategy(strategy).shared();
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let (it, settings) = (it.clone(), settings.clone());
                tokio::spawn(async move {
                    let mut passed = 0;
                    for _ in 0..10 {
                        passed += u32::from(it.one(&settings, 1).await == LimitAnswer::Taken);
                        tokio::task::yield_now().await;
                    }
                    passed
                })
            })
            .collect();
        let mut passed = 0;
        for caller in callers {
            passed += caller.await.expect("a caller does not panic");
        }
        assert_eq!(passed, 40, "{strategy}");
    }
}
