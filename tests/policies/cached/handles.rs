//! A cache by hand.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ddd_core::{
    __private::policies::{CacheHandle, CachedCell, CachedSettings, Fill, HandleRules, Stored, Tag},
    testing::isolated,
};
use futures_util::FutureExt;
use tokio::{sync::Notify, task::yield_now};

use super::rules::{Plain, free, plain};
use crate::{cell, support::figure};

type Handle = CacheHandle<u64, u64>;

async fn call(cell: &'static CachedCell, key: u64, value: u64) -> u64 {
    cell.fill_detached(free(key), Plain, move || async move { Ok::<_, Infallible>(value) }).await.unwrap()
}

#[tokio::test]
async fn a_handle_looks_and_stores() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        let handle: Handle = CacheHandle::new::<()>(cell, plain());
        assert_eq!(handle.get(&1).await, None);
        assert_eq!(call(cell, 1, 10).await, 10);
        assert_eq!(handle.get(&1).await, Some(10));
        handle.put(1, 11).await;
        assert_eq!(call(cell, 1, 12).await, 11);
        handle.put(2, 20).await;
        assert_eq!(call(cell, 2, 21).await, 20, "before the first call of this key");
        assert_eq!((figure(cell, "hits"), figure(cell, "misses")), (2, 1), "`get` does not count");
    })
    .await;
}

#[tokio::test]
async fn a_handle_stores_no_more_than_a_fill_would() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        let is_stored = |it: &Option<u64>| if it.is_some() { Stored::Positive } else { Stored::Negative };
        let handle: CacheHandle<u64, Option<u64>> =
            CacheHandle::new::<()>(cell, HandleRules::new(is_stored, |it| Some(*it)));
        handle.put(1, Some(5)).await;
        handle.put(1, None).await;
        assert_eq!(handle.get(&1).await, None, "what was there is gone, and `None` is not stored");
        assert_eq!(figure(cell, "size"), 0);
    })
    .await;
}

#[tokio::test]
async fn invalidation_holds_for_one_key_a_tag_or_all() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        let handle: Handle = CacheHandle::new::<()>(cell, plain());
        let tagged = |key: u64, value: u64| {
            let tags = if key.is_multiple_of(2) { vec!["even"] } else { vec!["odd", "strange"] };
            cell.fill_detached(free(key), Plain, move || {
                Fill::new(async move { Ok::<_, Infallible>(value) }).tagged(tags)
            })
        };
        for round in 0..3 {
            for key in 0..10 {
                // Often enough for the front table.
                for _ in 0..3 {
                    assert_eq!(tagged(key, 100).await, Ok(100), "round {round}");
                }
            }
            match round {
                0 => {
                    handle.invalidate(&4).await;
                    assert_eq!(tagged(4, 7).await, Ok(7));
                    assert_eq!(tagged(5, 7).await, Ok(100));
                }
                1 => {
                    handle.invalidate_tag("strange").await;
                    assert_eq!(tagged(4, 7).await, Ok(100));
                    assert_eq!(tagged(5, 7).await, Ok(7));
                    handle.invalidate_tag("unknown").await;
                    assert_eq!(tagged(5, 8).await, Ok(7));
                }
                _ => {
                    handle.clear().await;
                    assert_eq!(tagged(4, 7).await, Ok(7));
                    assert_eq!(tagged(5, 7).await, Ok(7));
                }
            }
            handle.clear().await;
        }
        assert_eq!(figure(cell, "size"), 0);
    })
    .await;
}

#[tokio::test]
async fn a_refresh_by_hand_happens_at_the_next_call() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        let handle: Handle = CacheHandle::new::<()>(cell, plain());
        handle.refresh(&1).await;
        assert_eq!(call(cell, 1, 10).await, 10);
        handle.refresh(&1).await;
        assert_eq!(call(cell, 1, 11).now_or_never(), Some(10), "the value that is there is served");
        while handle.get(&1).await == Some(10) {
            yield_now().await;
        }
        assert_eq!(call(cell, 1, 12).await, 11);
    })
    .await;
}

#[tokio::test]
async fn what_is_put_is_not_overwritten_by_an_older_fill() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        let handle: Handle = CacheHandle::new::<()>(cell, plain());
        let gate = Arc::new(Notify::new());
        let opened = gate.clone();
        let mut old = Box::pin(cell.fill_detached(free(1_u64), Plain, move || async move {
            opened.notified().await;
            Ok::<_, Infallible>(1)
        }));
        assert!((&mut old).now_or_never().is_none());
        handle.put(1, 2).await;
        gate.notify_one();
        assert_eq!(old.await, Ok(1), "its caller gets what it asked for");
        assert_eq!(handle.get(&1).await, Some(2));
    })
    .await;
}

#[tokio::test]
async fn tags_that_nobody_carries_are_forgotten() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new().capacity(10));
        let runs = AtomicU64::new(0);
        for key in 0..5_000_u64 {
            let tag = Tag::new(format_args!("user:{key}"));
            let body = || Fill::new(async { Ok::<_, Infallible>(runs.fetch_add(1, Ordering::SeqCst)) }).tagged([tag]);
            cell.fill(free(key), Plain, body).await.unwrap();
        }
        let tags = figure(cell, "tags");
        assert!(tags < 2_000, "{tags} tags are known of 10 entries");
    })
    .await;
}
