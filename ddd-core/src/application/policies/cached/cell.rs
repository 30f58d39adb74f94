use std::future::Future;

use super::{lookup::Lookup, work::IntoFill};
use crate::{
    domain::{CachedSettings, PolicyKind, Site, Tag},
    ports::{CacheRules, Policy, PolicyChangeError, Refusal},
};
use serde_json::{Map, Value};

/// The cache of one function, in a static of its body.
#[derive(Debug)]
pub struct CachedCell {
    site: Site,
    annotated: CachedSettings,
}

impl CachedCell {
    /// The cache at this place, with what its attribute says.
    #[must_use]
    pub const fn new(site: Site, annotated: CachedSettings) -> Self {
        Self { site, annotated }
    }

    /// The value of `key`; if there is none, what `make` makes, which this caller drives.
    pub async fn fill<Q, R, X, C, W>(&'static self, key: Q, rules: C, make: impl FnOnce() -> W) -> Result<R, X>
    where
        Q: Lookup,
        R: Send + Sync + 'static,
        X: Refusal,
        C: CacheRules<R>,
        W: IntoFill,
        W::Future: Future<Output = Result<R, X>>,
    {
        let _ = (key, rules);
        make().into_fill().future.await
    }

    /// The same; what `make` makes goes on without its caller.
    pub async fn fill_detached<Q, R, X, C, W>(&'static self, key: Q, rules: C, make: impl FnOnce() -> W) -> Result<R, X>
    where
        Q: Lookup,
        R: Send + Sync + 'static,
        X: Refusal,
        C: CacheRules<R> + Send + 'static,
        W: IntoFill,
        W::Future: Future<Output = Result<R, X>> + Send + 'static,
    {
        let _ = (key, rules);
        make().into_fill().future.await
    }

    /// The same for functions that are not async.
    pub fn fill_now<Q, R, X, C>(&'static self, key: Q, rules: C, make: impl FnOnce() -> Result<R, X>) -> Result<R, X>
    where
        Q: Lookup,
        R: Send + Sync + 'static,
        X: Refusal,
        C: CacheRules<R>,
    {
        self.fill_now_tagged(key, rules, Vec::new, make)
    }

    /// The same, with the tags of the entry.
    pub fn fill_now_tagged<Q, R, X, C>(
        &'static self,
        key: Q,
        rules: C,
        tags: impl FnOnce() -> Vec<Tag>,
        make: impl FnOnce() -> Result<R, X>,
    ) -> Result<R, X>
    where
        Q: Lookup,
        R: Send + Sync + 'static,
        X: Refusal,
        C: CacheRules<R>,
    {
        let _ = (key, rules, tags);
        make()
    }
}

impl Policy for CachedCell {
    fn kind(&self) -> PolicyKind {
        PolicyKind::Cached
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn problems(&self) -> Vec<String> {
        self.annotated.problems()
    }

    fn annotated(&self) -> Map<String, Value> {
        Map::new()
    }

    fn effective(&self) -> Map<String, Value> {
        Map::new()
    }

    fn figures(&self) -> Map<String, Value> {
        Map::new()
    }

    fn change(&self, _settings: &Map<String, Value>) -> Result<(), PolicyChangeError> {
        Ok(())
    }

    fn reset(&self) {}

    fn clear(&self) {}
}
