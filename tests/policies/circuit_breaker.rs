//! `#[circuit_breaker]`: when it opens, what it lets through, and what can be done to it.

use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use ddd_core::{
    __private::{
        Site,
        policies::{CircuitBreakerCell, CircuitBreakerSettings, Verdict},
    },
    Refused, RefusedKind,
    ports::{Forced, Policy},
    testing::{isolated, isolated_with_clock},
};
use futures_util::future::join_all;
use serde_json::json;

use crate::{
    cell,
    support::{Clock, figure, settings},
};

const DEFAULTS: CircuitBreakerSettings = CircuitBreakerSettings::new();
const MINUTE: Duration = Duration::from_secs(60);

fn call(cell: &'static CircuitBreakerCell, verdict: Verdict) -> Result<(), Refused> {
    cell.begin().map(|it| it.end(verdict))
}

fn calls(cell: &'static CircuitBreakerCell, number: u32, verdict: Verdict) {
    for _ in 0..number {
        call(cell, verdict).expect("the circuit is closed");
    }
}

fn state(cell: &'static CircuitBreakerCell) -> String {
    cell.figures()["state"].as_str().unwrap().to_owned()
}

/// Opens a circuit with default settings, in which nothing else has been called.
fn open(cell: &'static CircuitBreakerCell) {
    calls(cell, 10, Verdict::Failed);
    assert_eq!(state(cell), "open");
}

#[tokio::test]
async fn a_hundred_thousand_good_calls_do_not_delay_opening() {
    isolated(async {
        let cell = cell!(CircuitBreakerCell, DEFAULTS);
        calls(cell, 100_000, Verdict::Good);
        calls(cell, 49, Verdict::Failed);
        assert_eq!(state(cell), "closed");
        calls(cell, 1, Verdict::Failed);
        assert_eq!(state(cell), "open", "half of the last hundred calls failed");
        assert_eq!((figure(cell, "good"), figure(cell, "failed"), figure(cell, "opened")), (100_000, 50, 1));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_window_of_time_forgets_what_is_old() {
    const SETTINGS: CircuitBreakerSettings = DEFAULTS.window_time(MINUTE);
    isolated(async {
        let cell = cell!(CircuitBreakerCell, SETTINGS);
        calls(cell, 100_000, Verdict::Good);
        calls(cell, 9, Verdict::Failed);
        assert_eq!(state(cell), "closed");
        tokio::time::advance(MINUTE).await;
        calls(cell, 9, Verdict::Failed);
        assert_eq!((state(cell).as_str(), figure(cell, "failed")), ("closed", 18), "nine calls are too few");
        calls(cell, 1, Verdict::Failed);
        assert_eq!(state(cell), "open");
    })
    .await;
}

#[tokio::test]
async fn too_few_calls_open_nothing_and_a_good_call_never_does() {
    isolated(async {
        let cell = cell!(CircuitBreakerCell, DEFAULTS);
        calls(cell, 9, Verdict::Failed);
        calls(cell, 2, Verdict::Good);
        calls(cell, 1_000, Verdict::Ignored);
        assert_eq!(state(cell), "closed");
        calls(cell, 1, Verdict::Failed);
        assert_eq!(state(cell), "open");
        assert_eq!(figure(cell, "ignored"), 1_000);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_says_in_how_long_to_come_back() {
    isolated(async {
        let cell = cell!(CircuitBreakerCell, DEFAULTS);
        open(cell);
        tokio::time::advance(Duration::from_secs(18)).await;
        let refused = call(cell, Verdict::Good).unwrap_err();
        assert_eq!((refused.kind, refused.policy), (RefusedKind::CircuitOpen, "function"));
        let wait = refused.retry_after.unwrap();
        assert_eq!(wait, Duration::from_secs(42));
        tokio::time::advance(wait - Duration::from_millis(1)).await;
        call(cell, Verdict::Good).unwrap_err();
        tokio::time::advance(Duration::from_millis(1)).await;
        call(cell, Verdict::Good).unwrap();
        assert_eq!((state(cell).as_str(), figure(cell, "refused")), ("half_open", 2));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_half_open_circuit_admits_exactly_its_probes() {
    isolated(async {
        let cell = cell!(CircuitBreakerCell, DEFAULTS);
        open(cell);
        tokio::time::advance(MINUTE).await;
        // None of them ends, as calls of something that hangs.
        let callers = (0..1_000).map(|_| async {
            let Ok(_call) = cell.begin() else { return };
            pending::<()>().await;
        });
        let wait = tokio::time::timeout(Duration::from_secs(1), join_all(callers));
        tokio::select! {
            biased;
            _ = wait => panic!("nobody waits for so long"),
            () = tokio::task::yield_now() => assert_eq!(figure(cell, "refused"), 997),
        }
        // All of them were dropped: their permits are back.
        let _probes = [(); 3].map(|()| cell.begin().unwrap());
        cell.begin().unwrap_err();
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn probes_decide_as_soon_as_the_rest_cannot_change_it() {
    isolated(async {
        let cell = cell!(CircuitBreakerCell, DEFAULTS);
        let half_open = async || {
            tokio::time::advance(MINUTE).await;
            [(); 3].map(|()| Some(cell.begin().unwrap()))
        };
        open(cell);
        let mut probes = half_open().await;
        probes[0].take().unwrap().end(Verdict::Good);
        assert_eq!(state(cell), "half_open");
        probes[1].take().unwrap().end(Verdict::Failed);
        assert_eq!(state(cell), "half_open", "one of three failed, and the third may");
        probes[2].take().unwrap().end(Verdict::Failed);
        assert_eq!(state(cell), "open");

        let mut probes = half_open().await;
        probes[0].take().unwrap().end(Verdict::Failed);
        probes[1].take().unwrap().end(Verdict::Failed);
        assert_eq!(state(cell), "open", "the third cannot save it");
        // It began before the circuit opened, so it says nothing.
        probes[2].take().unwrap().end(Verdict::Good);
        assert_eq!(state(cell), "open");

        let mut probes = half_open().await;
        probes[0].take().unwrap().end(Verdict::Good);
        probes[1].take().unwrap().end(Verdict::Good);
        assert_eq!(state(cell), "closed", "the third cannot make it bad");
        let counts = ["opened", "half_opened", "closed"].map(|it| figure(cell, it));
        assert_eq!(counts, [3, 3, 1]);
        // Closed again, and nothing is left of the failures that opened it.
        assert_eq!(cell.figures()["window"], json!({ "calls": 0, "failed": 0, "slow": 0 }));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_cancelled_or_panics_gives_its_permit_back() {
    const SETTINGS: CircuitBreakerSettings = DEFAULTS.probes(1);
    isolated(async {
        let cell = cell!(CircuitBreakerCell, SETTINGS);
        open(cell);
        tokio::time::advance(MINUTE).await;
        for _ in 0..100 {
            drop(cell.begin().expect("the one before gave its permit back"));
        }
        let ignored = cell.begin().unwrap();
        cell.begin().unwrap_err();
        ignored.end(Verdict::Ignored);
        assert_eq!(state(cell), "half_open");
        let panicking = catch_unwind(AssertUnwindSafe(|| {
            let _call = cell.begin().unwrap();
            panic!("on purpose");
        }));
        assert!(panicking.is_err());
        assert_eq!(state(cell), "open", "a panic is a failure");
        tokio::time::advance(MINUTE).await;
        call(cell, Verdict::Good).unwrap();
        assert_eq!(state(cell), "closed");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn probes_that_hang_are_given_up() {
    isolated(async {
        let cell = cell!(CircuitBreakerCell, DEFAULTS);
        open(cell);
        tokio::time::advance(MINUTE).await;
        let hanging = [(); 3].map(|()| cell.begin().unwrap());
        tokio::time::advance(MINUTE - Duration::from_millis(1)).await;
        cell.begin().unwrap_err();
        tokio::time::advance(Duration::from_millis(1)).await;
        let probes = [(); 3].map(|()| cell.begin().unwrap());
        cell.begin().unwrap_err();
        // Those that were given up say nothing any more, and give no permit back.
        hanging.into_iter().for_each(|it| it.end(Verdict::Failed));
        cell.begin().unwrap_err();
        assert_eq!(state(cell), "half_open");
        probes.into_iter().for_each(|it| it.end(Verdict::Good));
        assert_eq!(state(cell), "closed");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn slow_calls_open_it_too() {
    const SETTINGS: CircuitBreakerSettings = DEFAULTS.slow_call(Duration::from_secs(2)).slow_rate(0.8);
    isolated(async {
        let cell = cell!(CircuitBreakerCell, SETTINGS);
        let take = async |length: Duration| {
            let call = cell.begin().unwrap();
            tokio::time::advance(length).await;
            call.end(Verdict::Good);
        };
        for _ in 0..100 {
            take(Duration::from_millis(1_999)).await;
        }
        assert_eq!(figure(cell, "slow"), 0);
        for number in 0..80 {
            assert_eq!(state(cell), "closed", "after {number} slow calls");
            take(Duration::from_secs(2)).await;
        }
        assert_eq!((state(cell).as_str(), figure(cell, "slow"), figure(cell, "good")), ("open", 80, 180));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn it_can_be_held_in_a_state() {
    isolated(async {
        let cell = cell!(CircuitBreakerCell, DEFAULTS);
        cell.force(Forced::Open).unwrap();
        assert_eq!(call(cell, Verdict::Good).unwrap_err().retry_after, None, "nobody knows how long");
        tokio::time::advance(10 * MINUTE).await;
        call(cell, Verdict::Good).unwrap_err();
        assert_eq!(state(cell), "forced_open");

        cell.force(Forced::Closed).unwrap();
        calls(cell, 100, Verdict::Failed);
        assert_eq!((state(cell).as_str(), figure(cell, "failed")), ("forced_closed", 100));
        assert_eq!(cell.figures()["window"]["failed"], 100);

        cell.force(Forced::Disabled).unwrap();
        calls(cell, 100, Verdict::Failed);
        assert_eq!((state(cell).as_str(), figure(cell, "failed")), ("disabled", 100));

        cell.force(Forced::Released).unwrap();
        assert_eq!(state(cell), "closed");
        open(cell);
        cell.clear();
        assert_eq!(state(cell), "closed");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_change_holds_from_that_moment() {
    isolated(async {
        let cell = cell!(CircuitBreakerCell, DEFAULTS);
        calls(cell, 20, Verdict::Good);
        calls(cell, 10, Verdict::Failed);
        cell.change(&settings(json!({ "failure_rate": 0.3, "open_for": "1h" }))).unwrap();
        calls(cell, 1, Verdict::Failed);
        assert_eq!(state(cell), "open", "what was in the window still counts");
        tokio::time::advance(MINUTE).await;
        call(cell, Verdict::Good).unwrap_err();
        cell.change(&settings(json!({ "open_for": "1m", "probes": 1 }))).unwrap();
        call(cell, Verdict::Good).unwrap();
        assert_eq!(state(cell), "closed");

        calls(cell, 9, Verdict::Failed);
        cell.change(&settings(json!({ "window": "10s" }))).unwrap();
        assert_eq!(cell.figures()["window"]["calls"], 0, "another window begins empty");
        assert_eq!(cell.effective()["window"], "10s");
        cell.reset();
        assert_eq!(cell.effective(), cell.annotated());
        assert_eq!(figure(cell, "failed"), 0);
    })
    .await;
}

#[tokio::test]
async fn a_change_that_means_nothing_changes_nothing() {
    isolated(async {
        let cell = cell!(CircuitBreakerCell, DEFAULTS);
        let refused = |change| cell.change(&settings(change)).unwrap_err().to_string();
        assert!(refused(json!({ "failure_rates": 0.4 })).contains("did you mean `failure_rate`?"));
        assert!(refused(json!({ "failure_rate": 1.5 })).contains("at most 1"));
        assert!(refused(json!({ "window": 5 })).contains("would never open"));
        assert!(refused(json!({ "window": true })).contains("a number of calls such as 100"));
        assert!(refused(json!({ "window": 20_000 })).contains("at most 10000"));
        assert!(refused(json!({ "slow_call": "fast" })).contains("`fast` is no duration"));
        assert_eq!(cell.effective(), cell.annotated());
        cell.change(&cell.effective()).unwrap();
        assert_eq!(cell.effective(), cell.annotated());
    })
    .await;
}

#[test]
fn settings_that_mean_nothing_are_problems() {
    let problems = |settings: CircuitBreakerSettings| settings.problems().len();
    assert_eq!(problems(DEFAULTS), 0);
    for rate in [0.0, -0.5, 1.01, f64::NAN, f64::INFINITY] {
        assert_eq!(problems(DEFAULTS.failure_rate(rate)), 1, "{rate}");
        assert_eq!(problems(DEFAULTS.slow_rate(rate)), 1, "{rate}");
    }
    assert_eq!(problems(DEFAULTS.min_calls(0)), 1);
    assert_eq!(problems(DEFAULTS.window_calls(9)), 1);
    assert_eq!(problems(DEFAULTS.window_calls(0)), 2);
    assert_eq!(problems(DEFAULTS.window_time(Duration::ZERO)), 1);
    assert_eq!(problems(DEFAULTS.window_time(Duration::MAX)), 1);
    assert_eq!(problems(DEFAULTS.slow_call(Duration::ZERO)), 1);
    assert_eq!(problems(DEFAULTS.open_for(Duration::ZERO)), 1);
    assert_eq!(problems(DEFAULTS.probes(0)), 1);
}

#[tokio::test]
async fn breakers_of_one_name_are_one() {
    const SITE: Site = Site::new("here", file!(), line!(), 0).named("the_bank");
    isolated(async {
        let pay = cell!(CircuitBreakerCell, DEFAULTS, SITE);
        let refund = cell!(CircuitBreakerCell, DEFAULTS, SITE);
        let other = cell!(CircuitBreakerCell, DEFAULTS, SITE.named("the_shop"));
        open(pay);
        assert_eq!([pay, refund, other].map(state), ["open", "open", "closed"]);
        assert_eq!(call(refund, Verdict::Good).unwrap_err().policy, "the_bank");
    })
    .await;
}

#[tokio::test]
async fn a_clock_that_goes_back_opens_nothing_early_and_panics_nowhere() {
    const SETTINGS: CircuitBreakerSettings = DEFAULTS.window_time(MINUTE).slow_call(MINUTE);
    let clock = Clock::default();
    clock.advance(100 * MINUTE);
    let back = clock.clone();
    isolated_with_clock(clock.read(), async {
        let cell = cell!(CircuitBreakerCell, SETTINGS);
        let call_before = cell.begin().unwrap();
        calls(cell, 5, Verdict::Good);
        back.set(Duration::from_secs(1));
        call_before.end(Verdict::Good);
        calls(cell, 5, Verdict::Good);
        assert_eq!(figure(cell, "slow"), 0);
        for _ in 0..20 {
            let _ = call(cell, Verdict::Failed);
        }
        assert_eq!(state(cell), "open");
        back.set(Duration::ZERO);
        call(cell, Verdict::Good).unwrap_err();
    })
    .await;
}
