//! Many keys: a bounded table, keys apart from each other, and what the figures say of them.

use std::{fmt, hash::Hash, panic::AssertUnwindSafe, time::Duration};

use ddd_core::{
    __private::policies::{RateLimitedCell, RateLimitedSettings, Strategy},
    ports::Policy,
    testing::isolated_with_clock,
};
use serde_json::{Value, json};

use crate::{
    cell,
    support::{Clock, figure, settings},
};

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

fn nearest(cell: &'static RateLimitedCell) -> Vec<Value> {
    cell.figures()["nearest"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_million_keys_stay_within_the_bound_and_are_forgotten_when_unused() {
    for strategy in [Strategy::SlidingWindow, Strategy::TokenBucket, Strategy::FixedWindow] {
        let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(3).per(MINUTE).capacity(50_000));
        let clock = Clock::default();
        isolated_with_clock(clock.read(), async {
            cell.change(&settings(json!({ "strategy": strategy.as_str() }))).unwrap();
            // The whole flood for the default, a smaller one for the others.
            let flood = if strategy == Strategy::SlidingWindow { 1_000_000_u64 } else { 200_000 };
            for key in 0..flood {
                clock.advance(Duration::from_micros(1));
                cell.try_admit(key, 1).unwrap();
                if key % 100_000 == 0 {
                    assert!(figure(cell, "keys") <= 50_000);
                }
            }
            let keys = figure(cell, "keys");
            assert!((25_000..=50_000).contains(&keys), "{keys} keys");
            assert_eq!(figure(cell, "forgotten"), flood - keys);
            clock.advance(MINUTE + SECOND);
            assert_eq!(figure(cell, "keys"), 0);
        })
        .await;
    }
}

#[tokio::test]
async fn other_calls_sweep_what_nobody_uses() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().per(SECOND));
    let clock = Clock::default();
    isolated_with_clock(clock.read(), async {
        for key in 0..10_000_u32 {
            cell.try_admit(key, 1).unwrap();
        }
        clock.advance(2 * SECOND);
        // One shard with each call that comes 50 ms after the one before.
        for _ in 0..130 {
            clock.advance(Duration::from_millis(50));
            drop(cell.try_admit(0_u32, 1));
        }
        let debug = format!("{:?}", cell.figures());
        assert_eq!(figure(cell, "forgotten"), 0, "{debug}");
        assert_eq!(figure(cell, "keys"), 1, "{debug}");
    })
    .await;
}

#[tokio::test]
async fn a_full_table_forgets_the_keys_that_used_least() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(10).per(MINUTE).capacity(200));
    let clock = Clock::default();
    isolated_with_clock(clock.read(), async {
        let greedy: Vec<u32> = (0..20).collect();
        for key in &greedy {
            for _ in 0..10 {
                cell.try_admit(*key, 1).unwrap();
            }
        }
        for key in 1_000..11_000_u32 {
            clock.advance(Duration::from_micros(10));
            cell.try_admit(key, 1).unwrap();
        }
        for key in &greedy {
            cell.try_admit(*key, 1).expect_err("a flood of other keys gives no new limit");
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_is_what_it_hashes() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(1).per(MINUTE));
    let clock = Clock::default();
    isolated_with_clock(clock.read(), async {
        cell.try_admit("tenant", 1).unwrap();
        cell.try_admit("tenant".to_owned(), 1).expect_err("a text is the same key, borrowed or not");
        let lent = &"tenant";
        cell.try_admit(lent, 1).expect_err("and so is a reference to it");
        cell.try_admit(("ten", "ant"), 1).unwrap();
        cell.try_admit(("tena", "nt"), 1).unwrap();
        cell.try_admit(Some(1_u64), 1).unwrap();
        cell.try_admit(None::<u64>, 1).unwrap();
        cell.try_admit(2_u64, 1).unwrap();
        cell.try_admit((), 1).unwrap();
        cell.try_admit((), 1).expect_err("without a key there is one limit for all");
    })
    .await;
}

#[tokio::test]
async fn ten_thousand_generated_keys_never_share_a_limit() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(1).per(MINUTE));
    let clock = Clock::default();
    isolated_with_clock(clock.read(), async {
        for number in 0..2_500_u64 {
            cell.try_admit(number, 1).unwrap();
            cell.try_admit((number, 0_u8), 1).unwrap();
            cell.try_admit(number.to_string(), 1).unwrap();
            cell.try_admit((number.to_string(), number), 1).unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn the_keys_nearest_their_limit_are_told() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(10).per(MINUTE));
    let clock = Clock::default();
    isolated_with_clock(clock.read(), async {
        for (key, calls) in [("low", 2), ("high", 9), ("full", 12), ("half", 5)] {
            for _ in 0..calls {
                drop(cell.try_admit(key, 1));
            }
        }
        let expected = json!([
            {"key": "\"full\"", "used": 1.0}, {"key": "\"high\"", "used": 0.9}, {"key": "\"half\"", "used": 0.5},
        ]);
        assert_eq!(Value::Array(nearest(cell)), expected);
        clock.advance(MINUTE);
        assert!(nearest(cell).is_empty());
    })
    .await;
}

/// A key whose text has no end.
#[derive(Hash)]
struct Endless(u8);

impl fmt::Debug for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        loop {
            f.write_str("é")?;
        }
    }
}

#[tokio::test]
async fn a_key_is_shown_by_the_beginning_of_its_text() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(1).per(MINUTE));
    let clock = Clock::default();
    isolated_with_clock(clock.read(), async {
        cell.try_admit(Endless(1), 1).unwrap();
        let key = nearest(cell)[0]["key"].as_str().unwrap().to_owned();
        assert_eq!(key, format!("{}…", "é".repeat(32)));
    })
    .await;
}

/// A key whose code panics where it is asked to.
struct Panics {
    hash: bool,
}

impl Hash for Panics {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        assert!(!self.hash, "while it is hashed");
        state.write_u8(1);
    }
}

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("while it is shown");
    }
}

#[tokio::test]
async fn a_key_that_panics_breaks_nothing_else() {
    let cell = cell!(RateLimitedCell, RateLimitedSettings::new().limit(1).per(MINUTE));
    let clock = Clock::default();
    isolated_with_clock(clock.read(), async {
        for hash in [true, false] {
            let call = || cell.try_admit(Panics { hash }, 1);
            std::panic::catch_unwind(AssertUnwindSafe(call)).expect_err("the key panics");
        }
        cell.try_admit("another", 1).unwrap();
        assert_eq!(figure(cell, "keys"), 2);
    })
    .await;
}
