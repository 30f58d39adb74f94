//! What the rules are tried with.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    domain::Tag,
    ports::{CacheAddress, CacheAnswer, CacheInvalidation, CacheStore, CacheTarget, CacheWrite, CacheWritten},
};

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// A fresh, empty store as two processes see it, and the means to let its time pass.
#[derive(Clone)]
pub struct CacheStoreUnderTest {
    pub(super) store: Arc<dyn CacheStore>,
    pub(super) elsewhere: Arc<dyn CacheStore>,
    pub(super) advance: Arc<dyn Fn(Duration) + Send + Sync>,
}

impl CacheStoreUnderTest {
    /// `elsewhere` is the same store over another connection. `advance` adds to the offset that the store adds to its clock. The
    /// clock must stand still otherwise, as far as a second is concerned.
    pub fn new(
        store: Arc<dyn CacheStore>,
        elsewhere: Arc<dyn CacheStore>,
        advance: impl Fn(Duration) + Send + Sync + 'static,
    ) -> Self {
        Self { store, elsewhere, advance: Arc::new(advance) }
    }

    pub(super) async fn get(&self, policy: &str, key: &str) -> CacheAnswer {
        let answers = self.store.get(vec![CacheAddress::new(policy, key)]).await.expect("the store answers");
        answers.into_iter().next().expect("each question is answered")
    }

    pub(super) async fn found(&self, policy: &str, key: &str) -> Option<Vec<u8>> {
        self.get(policy, key).await.found.map(|it| it.envelope.to_vec())
    }

    pub(super) async fn put(&self, write: CacheWrite) -> CacheWritten {
        self.store.put(vec![write]).await.expect("the store answers")[0]
    }

    /// A whole fill.
    pub(super) async fn fill(&self, policy: &str, key: &str, tags: &[&str], value: &[u8]) {
        let ticket = self.get(policy, key).await.ticket;
        assert_eq!(self.put(write(policy, key, tags, value).filled(ticket)).await, CacheWritten::Stored);
    }

    /// From the other process.
    pub(super) async fn invalidate(&self, policy: &str, target: CacheTarget) {
        let invalidation = CacheInvalidation::new(policy, target, 1);
        self.elsewhere.invalidate(vec![invalidation]).await.expect("the store answers");
    }
}

impl fmt::Debug for CacheStoreUnderTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheStoreUnderTest").field("kind", &self.store.kind()).finish_non_exhaustive()
    }
}

pub(super) fn write(policy: &str, key: &str, tags: &[&str], value: &[u8]) -> CacheWrite {
    let tags = tags.iter().map(|it| Tag::from(*it)).collect();
    CacheWrite::new(CacheAddress::new(policy, key), value, 2).tagged(tags)
}

pub(super) fn key(key: &str) -> CacheTarget {
    CacheTarget::Key(key.into())
}

pub(super) fn tag(tag: &str) -> CacheTarget {
    CacheTarget::Tag(Tag::from(tag))
}
