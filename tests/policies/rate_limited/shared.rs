//! Limits that processes have in common, over their port.

use std::{future::pending, sync::Arc, time::Duration};

use ddd_core::{
    __private::policies::{RateLimitedSettings, WhenUnavailable},
    App, LimitAnswer, LimitRequest, LimitState, LimitStore, Moment, RefusedKind,
    domain::LimitKey,
    ports::{Policy, StoreFuture},
    testing::{IsolatedPolicies, MemoryLimitStore, isolated},
};
use tokio::time::Instant;

use crate::{
    cell,
    support::{Clock, figure},
};

const SECOND: Duration = Duration::from_secs(1);
const THREE: RateLimitedSettings = RateLimitedSettings::new().limit(3).per(SECOND).shared();

/// A store under the runtime's time.
fn store() -> MemoryLimitStore {
    let started = Instant::now();
    MemoryLimitStore::new(move || Moment::default().after(SECOND + started.elapsed()))
}

async fn use_store(store: impl LimitStore) {
    drop(App::builder().limit_store(Arc::new(store)).submit_only().build().await.unwrap());
}

mod contract {
    use ddd_core::testing::{MemoryLimitStore, limit_conformance::LimitStoreUnderTest};

    use super::{Arc, Clock};

    pub(crate) async fn fresh() -> LimitStoreUnderTest {
        let clock = Clock::default();
        let store = MemoryLimitStore::new(clock.read());
        LimitStoreUnderTest::new(Arc::new(store), move |by| clock.advance(by))
    }

    ddd_core::testing::limit_store_conformance!(fresh());
}

#[tokio::test(start_paused = true)]
async fn processes_hold_one_limit_together() {
    let cell = cell!(RateLimitedCell, THREE);
    let store = store();
    // Each has its own state of the policy, as processes have.
    let processes = [IsolatedPolicies::start(), IsolatedPolicies::start()];
    for process in &processes {
        process.scope(use_store(store.clone())).await;
    }
    let mut passed = 0;
    for _ in 0..5 {
        for process in &processes {
            passed += u32::from(process.scope(async { cell.admit("key", 1).await }).await.is_ok());
        }
    }
    assert_eq!(passed, 3);
    let refused = processes[0].scope(async { cell.admit("key", 1).await }).await.unwrap_err();
    assert_eq!((refused.kind, refused.retry_after), (RefusedKind::RateLimited, Some(SECOND)));
    processes[0].scope(async { cell.admit("another", 1).await }).await.unwrap();
    tokio::time::advance(2 * SECOND).await;
    processes[1].scope(async { cell.admit("key", 1).await }).await.unwrap();
    assert_eq!(store.len(), 1, "what is unused takes no room");
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_the_store_to_have_room() {
    let cell =
        cell!(RateLimitedCell, RateLimitedSettings::new().limit(1).per(SECOND).wait(Duration::from_secs(3)).shared());
    isolated(async {
        use_store(store()).await;
        let started = Instant::now();
        for number in 0..4 {
            cell.admit((), 1).await.unwrap();
            let elapsed = started.elapsed();
            assert!(elapsed >= number * SECOND && elapsed < number * SECOND + Duration::from_millis(10), "{elapsed:?}");
        }
        let refused = cell.admit((), 2).await.unwrap_err();
        assert_eq!(refused.retry_after, None, "it costs more than the limit");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_done_without_as_the_settings_say() {
    for then in [WhenUnavailable::Allow, WhenUnavailable::Refuse, WhenUnavailable::Local] {
        let cell = match then {
            WhenUnavailable::Allow => cell!(RateLimitedCell, THREE.when_unavailable(WhenUnavailable::Allow)),
            WhenUnavailable::Refuse => cell!(RateLimitedCell, THREE.when_unavailable(WhenUnavailable::Refuse)),
            _ => cell!(RateLimitedCell, THREE),
        };
        isolated(async {
            let store = store();
            use_store(store.clone()).await;
            cell.admit((), 3).await.unwrap();
            store.set_away(true);
            let mut answers = Vec::new();
            for _ in 0..5 {
                answers.push(cell.admit((), 1).await.map_err(|it| it.kind));
            }
            let passed = answers.iter().filter(|it| it.is_ok()).count();
            match then {
                WhenUnavailable::Allow => assert_eq!(passed, 5),
                WhenUnavailable::Refuse => assert_eq!(answers, [Err(RefusedKind::Unavailable); 5]),
                _ => {
                    assert_eq!(passed, 3, "this process holds the limit by itself");
                    assert_eq!(answers[4], Err(RefusedKind::RateLimited));
                }
            }
            assert_eq!(figure(cell, "unanswered"), 5);
            store.set_away(false);
            assert_eq!(cell.admit((), 1).await.unwrap_err().kind, RefusedKind::RateLimited);
        })
        .await;
    }
}

/// A store that never answers.
struct Silent;

impl LimitStore for Silent {
    fn kind(&self) -> &'static str {
        "silent"
    }

    fn take(&self, _: Vec<LimitRequest>) -> StoreFuture<Vec<LimitAnswer>> {
        Box::pin(pending())
    }

    fn look(&self, _: Vec<LimitRequest>) -> StoreFuture<Vec<LimitState>> {
        Box::pin(pending())
    }

    fn give_back(&self, _: Vec<LimitRequest>) -> StoreFuture<()> {
        Box::pin(pending())
    }

    fn forget(&self, _: &'static str, _: Vec<Option<LimitKey>>) -> StoreFuture<()> {
        Box::pin(pending())
    }

    fn clear(&self, _: &'static str) -> StoreFuture<()> {
        Box::pin(pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_holds_no_call_up_for_long() {
    let cell = cell!(RateLimitedCell, THREE.when_unavailable(WhenUnavailable::Refuse));
    isolated(async {
        use_store(Silent).await;
        let asked = Instant::now();
        assert_eq!(cell.admit((), 1).await.unwrap_err().kind, RefusedKind::Unavailable);
        assert!(asked.elapsed() <= Duration::from_millis(510), "{:?}", asked.elapsed());
    })
    .await;
}

/// A store that leaves requests unanswered, and one that panics.
struct Broken {
    panics: bool,
}

impl LimitStore for Broken {
    fn kind(&self) -> &'static str {
        "broken"
    }

    fn take(&self, _: Vec<LimitRequest>) -> StoreFuture<Vec<LimitAnswer>> {
        let panics = self.panics;
        Box::pin(async move {
            assert!(!panics, "the store panics");
            Ok(Vec::new())
        })
    }

    fn look(&self, _: Vec<LimitRequest>) -> StoreFuture<Vec<LimitState>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn give_back(&self, _: Vec<LimitRequest>) -> StoreFuture<()> {
        Box::pin(async { Ok(()) })
    }

    fn forget(&self, _: &'static str, _: Vec<Option<LimitKey>>) -> StoreFuture<()> {
        Box::pin(async { Ok(()) })
    }

    fn clear(&self, _: &'static str) -> StoreFuture<()> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_store_is_one_that_does_not_answer() {
    for panics in [false, true] {
        let cell = cell!(RateLimitedCell, THREE.when_unavailable(WhenUnavailable::Refuse));
        isolated(async {
            use_store(Broken { panics }).await;
            assert_eq!(cell.admit((), 1).await.unwrap_err().kind, RefusedKind::Unavailable);
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_store_each_process_holds_the_limit_by_itself() {
    let cell = cell!(RateLimitedCell, THREE);
    isolated(async {
        for _ in 0..3 {
            cell.admit((), 1).await.unwrap();
        }
        assert_eq!(cell.admit((), 1).await.unwrap_err().kind, RefusedKind::RateLimited);
        assert_eq!(figure(cell, "unanswered"), 4);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn to_clear_it_clears_the_store() {
    let cell = cell!(RateLimitedCell, THREE);
    isolated(async {
        use_store(store()).await;
        cell.admit((), 3).await.unwrap();
        cell.admit((), 1).await.unwrap_err();
        cell.clear();
        tokio::task::yield_now().await;
        cell.admit((), 3).await.unwrap();
    })
    .await;
}
