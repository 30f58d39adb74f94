//! Many threads at one limit.

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use ddd_core::{
    __private::policies::{RateLimitedCell, RateLimitedSettings, Strategy},
    ports::Policy,
};
use serde_json::json;

use crate::{
    cell,
    support::{figure, settings},
};

const DAY: Duration = Duration::from_secs(24 * 3_600);
const THREADS: u32 = 4;

/// How many pass of 20,000 calls from each of four threads, while one more does what `meanwhile` says.
fn passed(cell: &'static RateLimitedCell, key: Option<u8>, meanwhile: impl Fn() + Send + Sync) -> u32 {
    let (passed, barrier) = (AtomicU32::new(0), Barrier::new(THREADS as usize + 1));
    let running = Arc::new(AtomicU32::new(THREADS));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                barrier.wait();
                for _ in 0..20_000 {
                    let answer = key.map_or_else(|| cell.try_admit((), 1), |it| cell.try_admit(it, 1));
                    passed.fetch_add(u32::from(answer.is_ok()), Ordering::Relaxed);
                }
                running.fetch_sub(1, Ordering::Relaxed);
            });
        }
        scope.spawn(|| {
            barrier.wait();
            while running.load(Ordering::Relaxed) > 0 {
                meanwhile();
                thread::yield_now();
            }
        });
    });
    passed.into_inner()
}

fn all_of_it_and_no_more(cell: &'static RateLimitedCell) {
    // A day's bucket gives one in 1.7 s.
    for (number, strategy) in [Strategy::SlidingWindow, Strategy::FixedWindow, Strategy::TokenBucket].iter().enumerate()
    {
        cell.change(&settings(json!({ "strategy": strategy.as_str() }))).unwrap();
        cell.clear();
        let key = u8::try_from(number).unwrap();
        for key in [None, Some(key)] {
            let passed = passed(cell, key, || {});
            assert!((50_000..=50_020).contains(&passed), "{strategy}, {key:?}: {passed}");
        }
    }
}

#[test]
fn racing_threads_take_all_of_the_limit_and_no_more() {
    all_of_it_and_no_more(cell!(RateLimitedCell, RateLimitedSettings::new().limit(50_000).per(DAY)));
}

#[test]
fn figures_and_changes_in_between_take_nothing_and_give_nothing() {
    for strategy in [Strategy::SlidingWindow, Strategy::FixedWindow, Strategy::TokenBucket] {
        let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(50_000).per(DAY));
        cell.reset();
        cell.clear();
        cell.change(&settings(json!({ "strategy": strategy.as_str() }))).unwrap();
        let passed = passed(cell, None, || {
            cell.figures();
            cell.change(&settings(json!({"queue": 7}))).unwrap();
        });
        assert!((50_000..=50_020).contains(&passed), "{strategy}: {passed}");
        assert_eq!(figure(cell, "allowed"), u64::from(passed));
        assert_eq!(figure(cell, "allowed") + figure(cell, "refused"), u64::from(THREADS) * 20_000);
    }
}

/// More threads than have a line of their own to count in, and each of them ends.
#[test]
fn calls_of_many_threads_are_all_counted() {
    const MANY: u64 = 200;
    const CALLS: u64 = 5_000;
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(50_000).per(DAY));
    for _ in 0..3 {
        let barrier = Barrier::new(MANY as usize);
        thread::scope(|scope| {
            for _ in 0..MANY {
                scope.spawn(|| {
                    barrier.wait();
                    for _ in 0..CALLS {
                        let _ = cell.try_admit((), 1);
                    }
                });
            }
        });
        assert_eq!((figure(cell, "allowed"), figure(cell, "refused")), (50_000, MANY * CALLS - 50_000));
        cell.reset();
        cell.clear();
        assert_eq!((figure(cell, "allowed"), figure(cell, "refused")), (0, 0));
    }
}
