//! `#[retry]`: pauses, limits, budgets, figures.

use std::{cell::Cell, sync::Arc, time::Duration};

use ddd_core::{
    __private::policies::{Attempt, Next, RetryCell, RetrySettings},
    PolicyKind,
    ports::Policy,
    testing::{IsolatedPolicies, isolated},
};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::Instant;

use crate::{
    cell,
    support::{Seed, figure, seeds, settings},
};

const FAILED: Attempt = Attempt::Failed { retry_after: None };

/// Calls `body` with the number of its attempt until the retry says that it is done; the value of the last attempt.
async fn call<T>(cell: &'static RetryCell, body: impl Fn(u32) -> (Attempt, T)) -> T {
    let mut attempts = cell.start();
    let mut number = 0;
    loop {
        number += 1;
        let (ended, value) = body(number);
        match attempts.after(ended) {
            Next::Done => return value,
            Next::After(pause) => pause.await,
        }
    }
}

/// The pauses of a call that always fails, and the number of its last attempt.
async fn pauses(cell: &'static RetryCell, retry_after: Option<Duration>) -> (Vec<Duration>, u32) {
    let mut attempts = cell.start();
    let mut pauses = Vec::new();
    while let Next::After(pause) = attempts.after(Attempt::Failed { retry_after }) {
        let began = Instant::now();
        pause.await;
        pauses.push(began.elapsed());
    }
    let number = u32::try_from(pauses.len()).unwrap() + 1;
    (pauses, number)
}

#[tokio::test(start_paused = true)]
async fn without_jitter_the_pauses_grow_up_to_their_cap() {
    let settings = RetrySettings::new().max_attempts(6).max_delay(Duration::from_secs(5)).jitter(false);
    assert_eq!(settings.problems(), [""; 0]);
    const SETTINGS: RetrySettings =
        RetrySettings::new().max_attempts(6).max_delay(Duration::from_secs(5)).jitter(false);
    isolated(async {
        let (pauses, attempts) = pauses(cell!(RetryCell, SETTINGS), None).await;
        assert_eq!(pauses, [1, 2, 4, 5, 5].map(Duration::from_secs));
        assert_eq!(attempts, 6);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn jitter_spreads_the_pauses_evenly_below_their_bounds() {
    const CALLS: u32 = 2_000;
    const SETTINGS: RetrySettings = RetrySettings::new().max_attempts(4).max_delay(Duration::from_secs(3));
    let seed = seeds(1)[0];
    let _seed = Seed(seed);
    fastrand::seed(seed);
    isolated(async {
        let cell = cell!(RetryCell, SETTINGS);
        let mut sums = [0.0; 3];
        let mut low = [false; 3];
        for _ in 0..CALLS {
            let (pauses, _) = pauses(cell, None).await;
            for (place, (pause, bound)) in pauses.iter().zip([1.0, 2.0, 3.0]).enumerate() {
                // The runtime's timer rounds up to milliseconds.
                let part = (pause.as_secs_f64() - 0.001) / bound;
                assert!(part <= 1.0, "{pause:?} of {bound} s");
                sums[place] += part;
                low[place] |= part < 0.02;
            }
        }
        for (sum, low) in sums.into_iter().zip(low) {
            let mean = sum / f64::from(CALLS);
            assert!((0.45..0.55).contains(&mean), "{mean}: the pauses are not drawn evenly");
            assert!(low, "no pause was short");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_last_error_is_the_users_own() {
    isolated(async {
        let cell = cell!(RetryCell, RetrySettings::new());
        let last = call(cell, |number| (FAILED, format!("attempt {number}"))).await;
        assert_eq!(last, "attempt 3");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn no_attempt_begins_after_the_deadline() {
    const SETTINGS: RetrySettings =
        RetrySettings::new().max_attempts(100).jitter(false).backoff(1.0).max_elapsed(Duration::from_millis(3_500));
    isolated(async {
        let cell = cell!(RetryCell, SETTINGS);
        let began = Instant::now();
        let (_, attempts) = pauses(cell, None).await;
        assert_eq!(attempts, 4, "at 0, 1, 2 and 3 seconds");
        // The fourth failure ends the call at once: nobody waits for an attempt that may not begin.
        assert_eq!(began.elapsed(), Duration::from_secs(3));
        assert_eq!(figure(cell, "out_of_time"), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_the_attempts_themselves() {
    const SETTINGS: RetrySettings = RetrySettings::new().jitter(false).max_elapsed(Duration::from_secs(10));
    isolated(async {
        let mut attempts = cell!(RetryCell, SETTINGS).start();
        tokio::time::sleep(Duration::from_millis(9_500)).await;
        assert!(matches!(attempts.after(FAILED), Next::Done));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_the_other_side_asks_for_is_waited_for() {
    isolated(async {
        let cell = cell!(RetryCell, RetrySettings::new().max_attempts(50));
        let (pauses, _) = pauses(cell, Some(Duration::from_secs(20))).await;
        assert_eq!(pauses.len(), 49);
        for pause in &pauses {
            let bounds = Duration::from_secs(20)..=Duration::from_millis(30_001);
            assert!(bounds.contains(pause), "{pause:?}: sooner than asked for, or later than `max_delay`");
        }
        assert!(pauses.iter().any(|it| *it != pauses[0]), "all that were told the same come back at once");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_longer_than_the_longest_pause_ends_the_call() {
    isolated(async {
        let cell = cell!(RetryCell, RetrySettings::new());
        let began = Instant::now();
        let (_, attempts) = pauses(cell, Some(Duration::from_secs(31))).await;
        assert_eq!((attempts, began.elapsed()), (1, Duration::ZERO));
        assert_eq!(figure(cell, "out_of_time"), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_final_is_not_tried_again() {
    isolated(async {
        let cell = cell!(RetryCell, RetrySettings::new());
        let calls = Cell::new(0);
        let end = |_| {
            calls.set(calls.get() + 1);
            (Attempt::Final, ())
        };
        call(cell, end).await;
        assert_eq!(calls.get(), 1);
        assert_eq!(figure(cell, "not_retryable"), 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn figures_tell_how_calls_ended() {
    isolated(async {
        let cell = cell!(RetryCell, RetrySettings::new());
        call(cell, |_| (Attempt::Done, ())).await;
        call(cell, |number| (if number < 3 { FAILED } else { Attempt::Done }, ())).await;
        call(cell, |_| (FAILED, ())).await;
        let names = ["calls", "attempts", "retries", "recovered", "out_of_attempts", "out_of_time", "out_of_budget"];
        assert_eq!(names.map(|it| figure(cell, it)), [3, 7, 4, 1, 1, 0, 0]);
        cell.reset();
        assert_eq!(names.map(|it| figure(cell, it)), [0; 7]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_budget_stops_a_storm_of_failing_callers() {
    const CALLERS: u64 = 5_000;
    const SETTINGS: RetrySettings = RetrySettings::new().max_attempts(10).budget("storm");
    let policies = IsolatedPolicies::start();
    let (one, other) = (cell!(RetryCell, SETTINGS), cell!(RetryCell, SETTINGS));
    let callers = (0..CALLERS).map(|it| {
        let (policies, cell) = (policies.clone(), if it % 2 == 0 { one } else { other });
        tokio::spawn(async move { policies.scope(call(cell, |_| (FAILED, ()))).await })
    });
    let began = Instant::now();
    join_all(callers).await.into_iter().for_each(|it| it.unwrap());
    let seconds = began.elapsed().as_secs();
    policies
        .scope(async {
            let retries = figure(one, "retries") + figure(other, "retries");
            assert!(retries >= 100, "the budget was full, and {retries} retries used it");
            assert!(retries <= 100 + seconds + 1, "{retries} retries in {seconds} s: more than the budget holds");
            assert_eq!(figure(one, "attempts") + figure(other, "attempts"), CALLERS + retries);
            assert!(figure(one, "out_of_budget") + figure(other, "out_of_budget") > CALLERS - 200);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn good_calls_and_time_give_back_to_a_budget() {
    const SETTINGS: RetrySettings =
        RetrySettings::new().max_attempts(2).max_delay(Duration::ZERO).delay(Duration::ZERO);
    isolated(async {
        let cell = cell!(RetryCell, SETTINGS.budget("given back"));
        let left = || figure(cell, "budget_left");
        assert_eq!(left(), 100);
        for _ in 0..100 {
            call(cell, |_| (FAILED, ())).await;
        }
        assert_eq!((left(), figure(cell, "retries")), (0, 100));
        call(cell, |_| (FAILED, ())).await;
        assert_eq!((figure(cell, "retries"), figure(cell, "out_of_budget")), (100, 1));
        for _ in 0..20 {
            call(cell, |_| (Attempt::Done, ())).await;
        }
        assert_eq!(left(), 2, "a tenth for each good call");
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(left(), 9, "one each second");
        tokio::time::advance(Duration::from_secs(1_000)).await;
        assert_eq!(left(), 100, "no more than it holds");
        cell.clear();
        assert_eq!(left(), 100);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_change_holds_from_that_moment() {
    isolated(async {
        let cell = cell!(RetryCell, RetrySettings::new().jitter(false));
        let mut under_way = cell.start();
        cell.change(&settings(json!({ "max_attempts": 2, "delay": "5s" }))).unwrap();
        let Next::After(pause) = under_way.after(FAILED) else { panic!("one more attempt is left") };
        let began = Instant::now();
        pause.await;
        assert_eq!(began.elapsed(), Duration::from_secs(5));
        assert!(matches!(under_way.after(FAILED), Next::Done));
        assert_eq!(cell.effective()["delay"], json!("5s"));
        assert_eq!(cell.annotated()["delay"], json!("1s"));
        cell.reset();
        assert_eq!(cell.effective(), cell.annotated());
    })
    .await;
}

#[tokio::test]
async fn a_change_that_means_nothing_changes_nothing() {
    isolated(async {
        let cell = cell!(RetryCell, RetrySettings::new().budget("fixed"));
        let refused = |change| cell.change(&settings(change)).unwrap_err().to_string();
        assert_eq!(
            refused(json!({ "max_atempts": 5 })),
            "`max_atempts`: there is no such setting; did you mean `max_attempts`?"
        );
        assert!(refused(json!({ "max_attempts": 5, "delay": "soon" })).contains("`soon` is no duration"));
        assert!(refused(json!({ "max_attempts": 0 })).contains("write how often the body may run"));
        assert!(refused(json!({ "delay": "1h" })).contains("longer than `max_delay`"));
        assert!(refused(json!({ "budget": "other" })).contains("cannot change while the program runs"));
        assert_eq!(cell.effective(), cell.annotated());
        // What is shown can be given back, but for what is fixed.
        let mut shown = cell.effective();
        shown.remove("budget");
        cell.change(&shown).unwrap();
        assert_eq!(cell.effective(), cell.annotated());
    })
    .await;
}

#[test]
fn settings_that_mean_nothing_are_problems() {
    let problems = |settings: RetrySettings| settings.problems().len();
    let fine =
        [RetrySettings::new(), RetrySettings::network(), RetrySettings::database(), RetrySettings::external_api()];
    assert_eq!(fine.map(problems), [0; 4]);
    assert_eq!(problems(RetrySettings::new().max_attempts(0)), 1);
    assert_eq!(problems(RetrySettings::new().backoff(0.5)), 1);
    assert_eq!(problems(RetrySettings::new().backoff(f64::NAN)), 1);
    assert_eq!(problems(RetrySettings::new().delay(Duration::from_secs(31))), 1);
    assert_eq!(problems(RetrySettings::new().max_elapsed(Duration::ZERO)), 1);
    assert_eq!(problems(RetrySettings::new().budget("")), 1);
    assert_eq!(problems(RetrySettings::new().max_attempts(0).backoff(0.0)), 2);
    assert_eq!(cell!(RetryCell, RetrySettings::new().max_attempts(0)).problems().len(), 1);
    assert_eq!(cell!(RetryCell, RetrySettings::new()).kind(), PolicyKind::Retry);
}

#[tokio::test(start_paused = true)]
async fn whoever_stops_waiting_leaves_nothing_behind() {
    isolated(async {
        let cell = cell!(RetryCell, RetrySettings::new().jitter(false));
        let bodies = Arc::new(());
        let counted = bodies.clone();
        let waiting = call(cell, move |_| (FAILED, counted.clone()));
        let _ = tokio::time::timeout(Duration::from_millis(1_500), waiting).await;
        assert_eq!(Arc::strong_count(&bodies), 1);
        // Two attempts ran; the third one was waited for, and is counted from then on.
        assert_eq!((figure(cell, "attempts"), figure(cell, "out_of_attempts")), (3, 0));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_isolated_test_sees_its_own_calls_only() {
    let cell = cell!(RetryCell, RetrySettings::new());
    let count = || async move {
        call(cell, |_| (Attempt::Done, ())).await;
        figure(cell, "calls")
    };
    assert_eq!(isolated(count()).await, 1);
    assert_eq!(isolated(count()).await, 1);
    assert_eq!(count().await, 1);
    assert_eq!(count().await, 2);
}
