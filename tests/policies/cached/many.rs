//! Many keys and many threads: what the front tables hold is what the bounded store holds, in every size of theirs.

use std::{
    convert::Infallible,
    sync::{Arc, Barrier},
    thread,
};

use ddd_core::{
    __private::policies::{CacheHandle, CachedCell, CachedSettings},
    ports::Policy,
    testing::isolated,
};

use super::rules::{Plain, free, plain};
use crate::{cell, support::figure};

/// The value of `key`, filled with `value` if there is none.
async fn call(cell: &'static CachedCell, key: u64, value: u64) -> u64 {
    cell.fill_detached(free(key), Plain, move || async move { Ok::<_, Infallible>(value) }).await.unwrap()
}

#[tokio::test]
async fn values_outlive_each_table_and_no_invalidation() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new().capacity(10_000));
        let handle: CacheHandle<u64, u64> = CacheHandle::new::<()>(cell, plain());
        // More keys each time, so that the tables grow from the smallest to one that holds them all.
        for (generation, keys) in [50, 200, 1_000, 4_000].into_iter().enumerate() {
            let generation = generation as u64;
            for _ in 0..5 {
                for key in 0..keys {
                    assert_eq!(call(cell, key, generation).await, generation, "key {key} of {keys}");
                }
            }
            for key in 0..keys {
                handle.invalidate(&key).await;
                assert_eq!(call(cell, key, 100).await, 100, "key {key} of {keys}");
            }
            handle.clear().await;
            for key in 0..keys {
                assert_eq!(call(cell, key, 200).await, 200, "key {key} of {keys}");
            }
            handle.clear().await;
        }
        assert_eq!(figure(cell, "hits"), (50 + 200 + 1_000 + 4_000) * 4);
    })
    .await;
}

#[tokio::test]
async fn what_is_evicted_is_given_back_by_the_front_tables_too() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new().capacity(100));
        let value = Arc::new(());
        for key in 0..1_000_u64 {
            for _ in 0..4 {
                let value = value.clone();
                cell.fill_detached(free(key), Plain, || async { Ok::<_, Infallible>(value) }).await.unwrap();
            }
        }
        assert_eq!(figure(cell, "size"), 100);
        // The bounded store gives its places back a little later, and each fill runs the destructors of what was evicted.
        let handle: CacheHandle<u64, Arc<()>> = CacheHandle::new::<()>(cell, plain());
        for _ in 0..10_000 {
            if Arc::strong_count(&value) <= 110 {
                break;
            }
            handle.invalidate(&5_000).await;
            let fresh = value.clone();
            cell.fill_detached(free(5_000_u64), Plain, || async { Ok::<_, Infallible>(fresh) }).await.unwrap();
            thread::yield_now();
        }
        assert!(Arc::strong_count(&value) <= 110, "{} values are still there", Arc::strong_count(&value));
    })
    .await;
}

/// More threads than have a line of their own, and each of them ends.
#[test]
fn hits_of_many_threads_are_all_counted() {
    const THREADS: u64 = 200;
    const CALLS: u64 = 2_000;
    let cell = cell!(CachedCell, CachedSettings::new().capacity(1_000));
    let hit_all = || {
        let barrier = Barrier::new(THREADS as usize);
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    for number in 0..CALLS {
                        let key = (number * 7 + thread * 13) % 300;
                        let value = cell.fill_now(free(key), Plain, || Ok::<_, Infallible>(key)).unwrap();
                        assert_eq!(value, key);
                    }
                });
            }
        });
    };
    for _ in 0..3 {
        hit_all();
        assert_eq!(figure(cell, "hits") + figure(cell, "misses"), THREADS * CALLS);
        assert!(figure(cell, "fills") <= 300);
        Policy::reset(cell);
        assert_eq!((figure(cell, "hits"), figure(cell, "misses")), (0, 0));
    }
}
