//! The contract of [`TaskStore`](crate::TaskStore) as tests, for authors of stores.
//!
//! ```
//! mod my_store {
//!     use std::sync::{Arc, atomic::{AtomicI64, Ordering::SeqCst}};
//!
//!     use ddd_core::{Clock, MemoryStore, Timestamp, testing::conformance::StoreUnderTest};
//!
//!     struct TestClock(AtomicI64);
//!
//!     impl Clock for TestClock {
//!         fn now(&self) -> Timestamp {
//!             Timestamp::from_micros(self.0.load(SeqCst))
//!         }
//!     }
//!
//!     pub async fn fresh() -> StoreUnderTest {
//!         let clock = Arc::new(TestClock(AtomicI64::new(0)));
//!         let store = MemoryStore::with_clock(clock.clone());
//!         StoreUnderTest::new(Arc::new(store), move |it| drop(clock.0.fetch_add(it.as_micros() as i64, SeqCst)))
//!     }
//!
//!     ddd_core::testing::store_conformance!(crate::my_store::fresh());
//! }
//! # fn main() {}
//! ```
//!
//! The expression makes a fresh, empty store for each test, on a clock that the test can move forward; see
//! [`StoreUnderTest`]. Each case is a test of its own, named `area::rule`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panics")]

mod kit;
mod under_test;

pub mod claiming;
pub mod controls;
pub mod crashes;
pub mod finishing;
pub mod keys;
pub mod lists;
pub mod queries;
pub mod queues;
pub mod racing;
pub mod repeating;
pub mod schedules;
pub mod submitting;
pub mod telling;
pub mod workers;

pub use under_test::{StoreUnderTest, run};

/// Makes one `#[test]` of every rule that a [`TaskStore`](crate::TaskStore) must keep.
///
/// The argument is an expression that evaluates to a future of a fresh, empty
/// [`StoreUnderTest`](crate::testing::conformance::StoreUnderTest); it is evaluated once in each test, in a module below the
/// one that invokes the macro, so name what it uses by an absolute path (`crate::…`). Tests may run at the same time, so
/// each needs a store of its own, such as a namespace or database of its own on one server.
#[macro_export]
macro_rules! store_conformance {
    ($make:expr) => {
        $crate::__store_conformance! { $make;
            submitting: [
                a_task_is_stored_as_it_was_given,
                a_repeated_submission_is_stored_once,
                a_submission_goes_on_where_the_store_says_so,
                a_batch_is_answered_in_order,
                a_task_in_the_future_is_delayed,
                a_time_in_the_past_is_due_at_once,
                parameters_come_back_to_the_letter,
            ];
            claiming: [
                equals_come_first_in_first_out,
                higher_priorities_come_first,
                age_overtakes_priority_by_the_step,
                a_late_promotion_takes_its_place_by_rank,
                a_claim_tells_what_the_worker_needs,
                a_task_is_handed_out_once,
                racing_workers_never_share_a_task,
                a_delayed_task_waits_until_it_is_due,
                the_next_due_time_is_told,
                only_the_queues_asked_for_are_served,
                no_queue_gives_more_than_it_is_asked_for,
                a_strict_step_is_never_overtaken,
            ];
            finishing: [
                success_keeps_the_result_for_its_time,
                failure_is_final_and_says_why,
                a_retry_waits_and_counts_the_next_attempt,
                a_snooze_burns_no_attempt,
                a_release_burns_no_attempt_and_keeps_the_rank,
                a_second_report_is_already_applied,
                a_report_under_another_fence_is_stale,
                a_timeout_is_final,
                a_body_that_cannot_be_stopped_is_seen_until_it_returns,
                an_overdue_attempt_stays_running,
                errors_are_cut_to_their_limit,
                a_batch_of_ends_is_answered_in_order,
                the_oldest_errors_give_way,
                a_result_without_time_is_not_kept,
            ];
            crashes: [
                a_lost_lease_gives_the_task_back_without_an_attempt,
                a_claim_whose_answer_was_lost_is_no_crash,
                a_heartbeat_keeps_the_lease,
                a_heartbeat_tells_what_was_lost,
                a_worker_that_was_away_cannot_write,
                many_crashes_fail_the_task,
                a_task_that_killed_two_workers_runs_alone,
                a_cancelled_task_whose_worker_died_is_cancelled,
                a_body_that_died_with_its_worker_is_no_longer_running,
                one_reap_is_bounded,
                the_dead_are_found_behind_many_that_live,
            ];
            controls: [
                every_queued_status_is_cancelled_at_once,
                a_running_task_is_cancelled_by_its_worker,
                a_cancelled_task_never_succeeds_nor_returns,
                finished_tasks_are_not_cancelled,
                a_retry_begins_a_new_run,
                only_finished_tasks_are_retried,
                another_priority_changes_the_order,
                another_due_time_puts_off_and_brings_forward,
                only_queued_tasks_are_reprioritised,
                only_finished_tasks_are_deleted,
            ];
            keys: [
                a_duplicate_returns_the_holder_until_it_ends,
                a_duplicate_in_the_same_batch_is_seen,
                a_key_for_a_time_outlives_the_task,
                a_key_never_blocks_a_retry,
                no_more_than_the_limit_is_ready_or_running,
                an_end_admits_the_next_by_rank,
                whoever_stops_waiting_to_run_gives_its_permit_back,
                a_crash_keeps_the_permit,
                a_body_that_runs_on_keeps_the_permit,
                keys_are_any_text,
            ];
            racing: [
                racing_submissions_of_one_unique_key_make_one_task,
                racing_submissions_never_overfill_a_queue,
                racing_ends_of_one_claim_are_applied_once,
                a_cancellation_and_an_end_that_race_have_one_winner,
                racing_ticks_make_one_task,
                a_renewal_and_upkeep_that_race_leave_one_holder,
            ];
            repeating: [
                a_submission_said_again_is_done_once,
                the_first_answer_is_what_is_repeated,
                a_key_stands_for_one_content_in_its_scope,
                a_key_twice_in_a_batch_is_done_once,
                a_key_is_kept_for_its_time_and_no_longer,
                a_full_queue_keeps_no_key,
                a_duplicate_said_again_is_the_same_task,
                racing_submissions_of_one_key_make_one_task,
            ];
            queues: [
                a_full_queue_refuses_with_a_hint,
                a_batch_does_not_overfill_a_queue,
                what_was_accepted_may_come_back_to_a_full_queue,
                a_paused_queue_hands_out_nothing,
                no_more_run_than_the_queue_allows,
                a_rate_limit_lets_tasks_wait_without_an_attempt,
                queues_tell_their_state,
                settings_of_other_queues_stay,
            ];
            workers: [
                what_nobody_knows_is_parked_and_comes_back,
                what_another_worker_knows_is_left_to_it,
                newer_versions_are_not_handed_out,
                nothing_is_parked_while_no_worker_lives,
                upkeep_parks_what_nobody_knows,
                an_undeclared_worker_gets_nothing,
                living_workers_are_listed,
            ];
            queries: [
                unknown_tasks_are_none,
                pages_go_from_the_newest_to_the_oldest,
                filters_narrow_the_list,
                a_position_counts_what_comes_before,
                a_position_far_behind_is_not_counted_out,
                statistics_count_what_is_and_what_was,
                finished_records_are_dropped_when_they_are_old,
                failed_records_are_kept_longer,
            ];
            lists: [
                a_list_shows_each_task_in_short,
                a_list_shows_the_newest_error,
                a_search_among_many_comes_to_its_end,
            ];
            schedules: [
                a_schedule_is_put_listed_and_deleted,
                a_tick_fires_once,
                a_changed_rule_changes_the_next_tick_only,
                a_paused_schedule_does_not_fire,
                a_tick_without_room_stays_due,
            ];
            telling: [
                every_transition_is_recorded_in_order,
                progress_is_stored_and_recorded,
                progress_under_another_fence_is_stale,
                ready_tasks_are_signalled,
                a_sink_that_is_gone_is_forgotten,
                a_dedicated_store_is_the_same_store,
                a_dedicated_store_keeps_leases,
            ];
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_conformance {
    ($make:expr; $($area:ident: [$($rule:ident,)*];)*) => {
        $crate::__store_conformance! { @areas ($make) $($area [$($rule)*])* }
    };
    (@areas $make:tt $($area:ident $rules:tt)*) => {
        $($crate::__store_conformance! { @area $make $area $rules })*
    };
    (@area ($make:expr) $area:ident [$($rule:ident)*]) => {
        mod $area {
            #[allow(unused_imports, reason = "the expression may need nothing from here")]
            use super::*;

            $(
                #[test]
                fn $rule() {
                    $crate::testing::conformance::run(async {
                        $crate::testing::conformance::$area::$rule($make.await).await;
                    });
                }
            )*
        }
    };
}
