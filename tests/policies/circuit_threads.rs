//! A circuit under many threads.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use ddd_core::{
    __private::policies::{CircuitBreakerSettings, Verdict},
    ports::Policy,
};
use serde_json::json;

use crate::{
    cell,
    support::{figure, settings},
};

const THREADS: usize = 8;
const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn no_call_is_lost_or_counted_twice() {
    const CALLS: u64 = 40_000;
    const SETTINGS: CircuitBreakerSettings = CircuitBreakerSettings::new().failure_rate(1.0).window_calls(1_000);
    for window in [json!(1_000), json!("1h"), json!("1ms")] {
        let cell = cell!(CircuitBreakerCell, SETTINGS);
        cell.reset();
        cell.change(&settings(json!({ "window": window }))).unwrap();
        thread::scope(|scope| {
            for thread in 0..THREADS {
                scope.spawn(move || {
                    for number in 0..CALLS {
                        // Seldom enough that good calls come in between, so that the circuit stays closed.
                        let failed = thread == 0 && number % 7 == 3;
                        let verdict = if failed { Verdict::Failed } else { Verdict::Good };
                        cell.begin().expect("not all calls fail").end(verdict);
                    }
                });
            }
        });
        let failed = CALLS / 7 + u64::from(CALLS % 7 > 3);
        assert_eq!(figure(cell, "failed"), failed, "{window}");
        assert_eq!(figure(cell, "good"), THREADS as u64 * CALLS - failed, "{window}");
        if window == json!("1h") {
            assert_eq!(cell.figures()["window"], json!({ "calls": 320_000, "failed": failed, "slow": 0 }));
        }
    }
}

#[test]
fn of_a_thousand_probes_at_once_exactly_so_many_begin() {
    const SETTINGS: CircuitBreakerSettings = CircuitBreakerSettings::new().open_for(HOUR);
    let cell = cell!(CircuitBreakerCell, SETTINGS);
    for round in 0..20 {
        cell.clear();
        (0..10).for_each(|_| cell.begin().expect("closed").end(Verdict::Failed));
        // Open for long enough at once, and half open for long.
        cell.change(&settings(json!({ "open_for": "1ns" }))).unwrap();
        drop(cell.begin().expect("it was open for long enough"));
        cell.change(&settings(json!({ "open_for": "1h" }))).unwrap();

        let (admitted, barrier) = (AtomicU64::new(0), Barrier::new(THREADS));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    barrier.wait();
                    let calls: Vec<_> = (0..125).filter_map(|_| cell.begin().ok()).collect();
                    admitted.fetch_add(calls.len() as u64, Ordering::Relaxed);
                    barrier.wait();
                    calls.into_iter().for_each(|it| it.end(Verdict::Ignored));
                });
            }
        });
        assert_eq!(admitted.into_inner(), 3, "in round {round}");
    }
}

#[test]
fn failures_open_it_while_others_succeed() {
    const SETTINGS: CircuitBreakerSettings = CircuitBreakerSettings::new().open_for(HOUR).failure_rate(0.2);
    let cell = cell!(CircuitBreakerCell, SETTINGS);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                // Half of all calls fail, so some window of a hundred calls must hold twenty failures.
                let verdict = if thread % 2 == 0 { Verdict::Failed } else { Verdict::Good };
                for _ in 0..1_000_000 {
                    match cell.begin() {
                        Ok(call) => call.end(verdict),
                        Err(_) => return,
                    }
                }
                panic!("a million calls, and the circuit is closed");
            });
        }
    });
    assert_eq!((cell.figures()["state"].as_str(), figure(cell, "opened")), (Some("open"), 1));
}
