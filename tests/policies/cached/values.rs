//! What users wrote: values, and their `Clone`, `Eq` and `Drop`.

use std::{
    collections::HashMap,
    convert::Infallible,
    fmt::Debug,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use ddd_core::{
    __private::policies::{CacheHandle, CachedCell, CachedSettings},
    ports::Policy,
    testing::isolated,
};
use futures_util::FutureExt;

use super::rules::{Plain, free, plain};
use crate::{cell, support::figure};

/// The value of a miss, of a hit in the bounded store, and of hits in the front table.
async fn answers<R: Clone + Send + Sync + 'static>(cell: &'static CachedCell, value: R) -> Vec<R> {
    let mut answers = Vec::new();
    for _ in 0..4 {
        let value = value.clone();
        answers.push(cell.fill(1_u8, Plain, || async { Ok::<_, Infallible>(value) }).await.unwrap());
    }
    assert_eq!(figure(cell, "hits"), 3);
    answers
}

async fn same<R: Clone + PartialEq + Debug + Send + Sync + 'static>(value: R) {
    let cell = cell_of_its_own();
    for answer in answers(cell, value.clone()).await {
        assert_eq!(answer, value);
    }
}

/// For one test, which has states of its own: each call forgets what was before.
fn cell_of_its_own() -> &'static CachedCell {
    let cell = cell!(CachedCell, CachedSettings::new());
    Policy::clear(cell);
    Policy::reset(cell);
    cell
}

#[tokio::test]
async fn a_hit_returns_the_very_value_of_the_miss() {
    isolated(async {
        same(HashMap::from([((1, 'a'), vec![Some(2.5_f64)]), ((2, 'b'), vec![None])])).await;
        same(Ok::<_, String>(Some("text".to_owned()))).await;
        same((i128::MIN, [0_u8; 100], "static")).await;
        let weird = f64::from_bits(0x7ff8_dead_beef_0001);
        let bits = answers(cell_of_its_own(), weird).await;
        assert!(bits.iter().all(|it| it.to_bits() == weird.to_bits()), "{bits:?}");
        let shared = Arc::new("shared".to_owned());
        let pointers = answers(cell_of_its_own(), shared.clone()).await;
        assert!(pointers.iter().all(|it| Arc::ptr_eq(it, &shared)), "the same text, not a copy of it");
    })
    .await;
}

static IS_PANICKING: AtomicBool = AtomicBool::new(false);

/// Its copies are made unless told otherwise; its end panics if told so.
#[derive(Debug, PartialEq, Eq)]
struct Fragile(u64);

impl Clone for Fragile {
    fn clone(&self) -> Self {
        assert!(!IS_PANICKING.load(Ordering::SeqCst), "no copy now");
        Self(self.0)
    }
}

#[tokio::test]
async fn a_clone_that_panics_harms_nobody_else() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        let call = |key: u64| cell.fill(key, Plain, move || async move { Ok::<_, Infallible>(Fragile(key)) });
        for _ in 0..3 {
            assert_eq!(call(1).await, Ok(Fragile(1)));
        }
        IS_PANICKING.store(true, Ordering::SeqCst);
        for key in [1, 1, 2] {
            assert!(AssertUnwindSafe(call(key)).catch_unwind().await.is_err(), "the copy panics");
        }
        IS_PANICKING.store(false, Ordering::SeqCst);
        for key in [1, 2, 1, 2] {
            assert_eq!(call(key).await, Ok(Fragile(key)));
        }
        assert_eq!(figure(cell, "running_fills"), 0);
    })
    .await;
}

/// A value that looks into the cache that it is in, wherever it is copied or dropped.
struct Curious(u64, &'static CachedCell);

impl Curious {
    fn look(&self) {
        let handle: CacheHandle<u64, Self> = CacheHandle::new::<()>(self.1, plain());
        let other = self.0 ^ 1;
        // One level deep: the copy that it finds looks no further.
        static DEPTH: AtomicU64 = AtomicU64::new(0);
        if DEPTH.fetch_add(1, Ordering::SeqCst) == 0 {
            drop(handle.get(&self.0).now_or_never());
            drop(handle.get(&other).now_or_never());
            handle.invalidate(&other).now_or_never();
        }
        DEPTH.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Clone for Curious {
    fn clone(&self) -> Self {
        self.look();
        Self(self.0, self.1)
    }
}

impl Drop for Curious {
    fn drop(&mut self) {
        self.look();
    }
}

#[tokio::test]
async fn values_may_call_the_cache_that_they_are_in() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new().capacity(8));
        for turn in 0..2_000_u64 {
            let key = turn % 20;
            let value = cell.fill(free(key), Plain, || async { Ok::<_, Infallible>(Curious(key, cell)) }).await;
            assert_eq!(value.map(|it| it.0), Ok(key));
        }
        Policy::clear(cell);
        assert_eq!(figure(cell, "size"), 0);
    })
    .await;
}

/// Counts how many there are; its end panics.
struct Counted(Arc<AtomicU64>);

impl Counted {
    fn new(alive: &Arc<AtomicU64>) -> Self {
        alive.fetch_add(1, Ordering::SeqCst);
        Self(alive.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
        assert!(std::thread::panicking(), "this destructor panics");
    }
}

#[tokio::test]
async fn a_destructor_that_panics_is_contained_and_memory_comes_back() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new().capacity(50));
        let alive = Arc::<AtomicU64>::default();
        for key in 0..2_000_u64 {
            // Behind a reference count, so that only the cache's own drop is the last.
            let make = || async { Ok::<_, Infallible>(Arc::new(Counted::new(&alive))) };
            let value = cell.fill(key, Plain, make).await.unwrap();
            assert!(Arc::strong_count(&value) > 1, "it is stored");
            drop(value);
        }
        let size = figure(cell, "size");
        assert!(size <= 50, "{size} entries of a capacity of 50");
        Policy::clear(cell);
        // What the bounded store still holds goes with its upkeep.
        for key in 0..2_000_u64 {
            let make = || async { Ok::<_, Infallible>(key) };
            cell.fill(key, Plain, make).await.unwrap();
        }
        let left = alive.load(Ordering::SeqCst);
        assert!(left < 400, "{left} of 2000 values are alive");
    })
    .await;
}
