//! Figures, and changes while the program runs.

use std::{convert::Infallible, time::Duration};

use ddd_core::{
    __private::policies::{CacheRules, CachedCell, CachedSettings, Stored},
    ports::Policy,
    testing::isolated,
};
use serde_json::json;
use tokio::time::advance;

use super::rules::Plain;
use crate::{
    cell,
    support::{figure, settings},
};

async fn call(cell: &'static CachedCell, key: u64) -> u64 {
    cell.fill(key, Plain, || async move { Ok::<_, Infallible>(key) }).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_call_counts() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        for _ in 0..1_000 {
            for key in 0..7 {
                call(cell, key).await;
            }
        }
        let slow = cell.fill(100_u64, Plain, || async {
            advance(Duration::from_millis(80)).await;
            Ok::<u64, Infallible>(0)
        });
        slow.await.unwrap();
        assert_eq!((figure(cell, "hits"), figure(cell, "misses"), figure(cell, "fills")), (6_993, 8, 8));
        assert_eq!((figure(cell, "size"), figure(cell, "weight"), figure(cell, "evictions")), (8, 8, 0));
        assert_eq!(cell.figures()["mean_fill_time"], "10ms");
        assert_eq!(cell.figures()["longest_fill_time"], "80ms");
        cell.reset();
        assert_eq!((figure(cell, "hits"), figure(cell, "misses")), (0, 0));
        assert_eq!(figure(cell, "size"), 8, "`reset` leaves what is stored");
        call(cell, 1).await;
        assert_eq!((figure(cell, "hits"), figure(cell, "misses")), (1, 0));
        cell.clear();
        call(cell, 1).await;
        assert_eq!((figure(cell, "hits"), figure(cell, "misses"), figure(cell, "size")), (1, 1, 1));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_ttl_changed_live_holds_for_what_is_stored() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new().ttl(Duration::from_secs(600)));
        call(cell, 1).await;
        call(cell, 1).await;
        advance(Duration::from_secs(60)).await;
        cell.change(&settings(json!({ "ttl": "30s" }))).unwrap();
        assert_eq!(cell.effective()["ttl"], "30s");
        assert_eq!(cell.annotated()["ttl"], "10m");
        call(cell, 1).await;
        assert_eq!(figure(cell, "misses"), 2);
        cell.change(&settings(json!({ "ttl": "forever" }))).unwrap();
        advance(Duration::from_secs(60 * 60 * 24 * 400)).await;
        call(cell, 1).await;
        assert_eq!(figure(cell, "misses"), 2);
        cell.reset();
        assert_eq!(cell.effective(), cell.annotated());
        call(cell, 1).await;
        assert_eq!(figure(cell, "misses"), 1);
    })
    .await;
}

#[tokio::test]
async fn a_capacity_changed_live_holds_at_once() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new().capacity(100));
        for key in 0..100 {
            call(cell, key).await;
        }
        assert_eq!(figure(cell, "size"), 100);
        cell.change(&settings(json!({ "capacity": 10 }))).unwrap();
        assert_eq!(figure(cell, "size"), 10);
        cell.change(&settings(json!({ "capacity": 1_000 }))).unwrap();
        assert_eq!(figure(cell, "size"), 10, "what was left stays");
        for key in 1_000..1_500 {
            call(cell, key).await;
        }
        assert_eq!(figure(cell, "size"), 510);
    })
    .await;
}

#[tokio::test]
async fn wrong_changes_say_what_to_write_and_change_nothing() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new());
        let wrong = [
            (json!({ "tll": "5m" }), "`tll`: there is no such setting; did you mean `ttl`?"),
            (json!({ "ttl": "5 minutes" }), "write a whole number and a unit"),
            (json!({ "ttl": "5m", "capacity": 0 }), "`capacity` is 0"),
            (json!({ "refresh_ahead": "2h" }), "is not shorter than `ttl`"),
            (json!({ "scope": "shared" }), "`scope`: cannot change while the program runs"),
        ];
        for (change, part) in wrong {
            let error = cell.change(&settings(change.clone())).expect_err("it is wrong").to_string();
            assert!(error.contains(part), "{change}: {error}");
            assert_eq!(cell.effective(), cell.annotated(), "{change}");
        }
    })
    .await;
}

/// Weighs what it is.
struct Weighed;

impl CacheRules<u64> for Weighed {
    fn is_stored(&self, value: &u64) -> Stored {
        if *value == 13 { Stored::No } else { Stored::Positive }
    }

    fn share(&self, value: &u64) -> Option<u64> {
        Some(*value)
    }

    fn weight(&self, value: &u64) -> u32 {
        u32::try_from(*value).unwrap()
    }
}

#[tokio::test]
async fn the_capacity_bounds_the_weight_of_what_is_weighed() {
    isolated(async {
        let cell = cell!(CachedCell, CachedSettings::new().capacity(100));
        let call = |key: u64, value: u64| cell.fill(key, Weighed, move || async move { Ok::<_, Infallible>(value) });
        for key in 0..20 {
            call(key, 30).await.unwrap();
        }
        assert_eq!((figure(cell, "size"), figure(cell, "weight")), (3, 90));
        assert_eq!(figure(cell, "evictions"), 17);
        call(50, 1_000).await.unwrap();
        assert!(figure(cell, "weight") <= 100, "what is too heavy is not kept");
        call(60, 13).await.unwrap();
        call(60, 13).await.unwrap();
        assert_eq!(figure(cell, "fills"), 23, "what is not to be stored is not");
    })
    .await;
}
