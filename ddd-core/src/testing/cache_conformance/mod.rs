//! The contract of [`CacheStore`] as tests, for authors of stores.
//!
//! ```
//! mod my_store {
//!     use std::{sync::{Arc, atomic::{AtomicU64, Ordering::SeqCst}}, time::Duration};
//!
//!     use ddd_core::{Moment, testing::{MemoryCacheStore, cache_conformance::CacheStoreUnderTest}};
//!
//!     pub async fn fresh() -> CacheStoreUnderTest {
//!         let clock = Arc::new(AtomicU64::new(0));
//!         let read = clock.clone();
//!         let store = MemoryCacheStore::new(move || Moment::from_nanos(read.load(SeqCst)));
//!         let advance = move |by: Duration| drop(clock.fetch_add(by.as_nanos() as u64, SeqCst));
//!         CacheStoreUnderTest::new(Arc::new(store.clone()), Arc::new(store), advance)
//!     }
//!
//!     ddd_core::testing::cache_store_conformance!(crate::my_store::fresh());
//! }
//! # fn main() {}
//! ```

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panics")]

mod entries;
mod fences;
mod kit;
mod telling;

pub use entries::{
    a_batch_is_answered_in_order, an_entry_has_the_tags_of_its_last_write, policies_and_keys_are_apart,
    what_is_kept_for_a_time_is_gone_after_it, what_is_put_is_found_with_its_age,
    what_was_invalidated_is_gone_and_nothing_else,
};
pub use fences::{
    a_fill_that_began_before_an_invalidation_is_not_stored, a_ticket_that_was_never_given_is_outdated,
    a_value_that_holds_from_now_on_replaces_and_fences, racing_fills_store_nothing_from_before_an_invalidation,
};
pub use kit::CacheStoreUnderTest;
pub use telling::{
    a_listener_that_is_gone_harms_nobody, every_listener_is_told_of_each_invalidation,
    whoever_was_told_finds_nothing_old,
};

/// Makes one `#[test]` of every rule that a [`CacheStore`](crate::CacheStore) must keep.
///
/// The argument is an expression that evaluates to a future of a fresh, empty
/// [`CacheStoreUnderTest`](crate::testing::cache_conformance::CacheStoreUnderTest); it is evaluated once in each test, so name what
/// it uses by an absolute path (`crate::…`). Tests may run at the same time, so each needs a store of its own, such as a
/// namespace of its own on one server.
#[macro_export]
macro_rules! cache_store_conformance {
    ($make:expr) => {
        $crate::cache_store_conformance! { @rules ($make)
            what_is_put_is_found_with_its_age
            what_is_kept_for_a_time_is_gone_after_it
            policies_and_keys_are_apart
            a_batch_is_answered_in_order
            what_was_invalidated_is_gone_and_nothing_else
            an_entry_has_the_tags_of_its_last_write
            a_fill_that_began_before_an_invalidation_is_not_stored
            a_ticket_that_was_never_given_is_outdated
            a_value_that_holds_from_now_on_replaces_and_fences
            every_listener_is_told_of_each_invalidation
            whoever_was_told_finds_nothing_old
            a_listener_that_is_gone_harms_nobody
            racing_fills_store_nothing_from_before_an_invalidation
        }
    };
    (@rules $make:tt $($rule:ident)*) => {
        $($crate::cache_store_conformance! { @rule $make $rule })*
    };
    (@rule ($make:expr) $rule:ident) => {
        #[test]
        fn $rule() {
            $crate::testing::conformance::run(async {
                $crate::testing::cache_conformance::$rule($make.await).await;
            });
        }
    };
}
