//! What listeners are told.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::kit::{CacheStoreUnderTest, key, tag, write};
use crate::ports::{CacheInvalidation, CacheListener, CacheStore, CacheTarget};

/// So long a store may take to tell of an invalidation.
const PATIENCE: Duration = Duration::from_secs(10);

/// Notes what it is told.
#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<CacheInvalidation>>,
    news: Notify,
}

impl CacheListener for Ear {
    fn invalidated(&self, invalidations: &[CacheInvalidation]) {
        self.heard.lock().extend_from_slice(invalidations);
        self.news.notify_one();
    }

    fn lost(&self) {}
}

impl Ear {
    /// On this store. It hears from the first thing on that it was certainly told.
    async fn on(store: &Arc<dyn CacheStore>) -> Arc<Self> {
        let ear = Arc::new(Self::default());
        let listener: Arc<dyn CacheListener> = ear.clone();
        store.attach(Arc::downgrade(&listener));
        let sign = CacheInvalidation::new("sign", CacheTarget::All, 9);
        let hears = async {
            while !ear.heard.lock().contains(&sign) {
                store.invalidate(vec![sign.clone()]).await.expect("the store answers");
                let _ = tokio::time::timeout(Duration::from_millis(50), ear.news.notified()).await;
            }
        };
        tokio::time::timeout(PATIENCE, hears).await.expect("a listener is told");
        ear
    }

    /// Waits until it was told of this.
    async fn hears(&self, wanted: &CacheInvalidation) {
        let heard = async {
            while !self.heard.lock().contains(wanted) {
                self.news.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.unwrap_or_else(|_| panic!("not told of {wanted:?}"));
    }
}

/// Each invalidation is told in every process, as it was asked for; a value that holds from now on is told as one of its key.
///
/// # Panics
/// The store breaks the rule.
pub async fn every_listener_is_told_of_each_invalidation(it: CacheStoreUnderTest) {
    let (here, there) = (Ear::on(&it.store).await, Ear::on(&it.elsewhere).await);
    let targets = [key("\"ä\u{0}\n\""), tag("a tag"), CacheTarget::All];
    let asked: Vec<_> = targets.map(|target| CacheInvalidation::new("policy", target, u64::MAX)).into();
    it.elsewhere.invalidate(asked.clone()).await.expect("the store answers");
    it.put(write("policy", "by hand", &["tag"], b"value")).await;
    let by_hand = CacheInvalidation::new("policy", key("by hand"), 2);
    for wanted in asked.iter().chain([&by_hand]) {
        here.hears(wanted).await;
        there.hears(wanted).await;
    }
}

/// An invalidation is told after it has taken effect.
///
/// # Panics
/// The store breaks the rule.
pub async fn whoever_was_told_finds_nothing_old(it: CacheStoreUnderTest) {
    let ear = Ear::on(&it.store).await;
    for round in 0..20 {
        let name = format!("key {round}");
        it.fill("policy", &name, &[], b"old").await;
        let asked = CacheInvalidation::new("policy", key(&name), 1);
        let elsewhere = it.elsewhere.clone();
        let asking = tokio::spawn(elsewhere.invalidate(vec![asked.clone()]));
        ear.hears(&asked).await;
        assert_eq!(it.found("policy", &name).await, None, "round {round}");
        asking.await.expect("it ends").expect("the store answers");
    }
}

/// A store goes on when a listener was dropped.
///
/// # Panics
/// The store breaks the rule.
pub async fn a_listener_that_is_gone_harms_nobody(it: CacheStoreUnderTest) {
    drop(Ear::on(&it.store).await);
    let stays = Ear::on(&it.store).await;
    it.invalidate("policy", CacheTarget::All).await;
    stays.hears(&CacheInvalidation::new("policy", CacheTarget::All, 1)).await;
}
