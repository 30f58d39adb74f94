//! What the keys of a rate limit cost in memory, counted by the allocator; and that it comes back.
#![allow(clippy::unwrap_used, reason = "tests fail by panics")]

use std::{
    alloc::System,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ddd_core::{
    __private::{
        Site,
        policies::{RateLimitedCell, RateLimitedSettings},
    },
    Moment,
    ports::Policy,
    testing::isolated_with_clock,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SECOND: Duration = Duration::from_secs(1);
const CAPACITY: usize = 10_000;

fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

#[tokio::test]
async fn a_million_keys_take_bounded_memory_and_give_it_back() {
    static CELL: RateLimitedCell = RateLimitedCell::new(
        Site::new("function", file!(), line!(), 0),
        RateLimitedSettings::new().limit(64).per(SECOND).capacity(CAPACITY as u32),
    );
    let nanos = Arc::new(AtomicU64::new(0));
    let read = nanos.clone();
    isolated_with_clock(move || Moment::from_nanos(read.load(Ordering::Relaxed)), async {
        let _ = CELL.try_admit(0_u32, 1);
        let empty = live();
        for key in 0..1_000_000_u32 {
            let _ = CELL.try_admit(key, 1);
            nanos.fetch_add(100, Ordering::Relaxed);
        }
        let each = (live() - empty) / CAPACITY;
        assert!(each <= 400, "{each} bytes for each key that called once");
        // The same number of keys that use all of it, each call in an instant of its own.
        for number in 0..CAPACITY as u32 * 64 {
            let _ = CELL.try_admit(number % (CAPACITY as u32 / 2), 1);
            nanos.fetch_add(100, Ordering::Relaxed);
        }
        let each = (live() - empty) / CAPACITY;
        assert!(each <= 1_600, "{each} bytes for each key that used all of it");
        // One other key is enough for all to be swept.
        for _ in 0..200 {
            nanos.fetch_add(50_000_000, Ordering::Relaxed);
            let _ = CELL.try_admit("another", 1);
        }
        let rest = live().saturating_sub(empty);
        assert!(rest <= 100 * CAPACITY / 8, "{rest} bytes did not come back");
        assert_eq!(CELL.figures()["keys"], 1);
    })
    .await;
}
