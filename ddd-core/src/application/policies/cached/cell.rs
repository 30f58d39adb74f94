use std::{future::Future, hash::Hash, sync::Arc};

use super::{
    super::{
        ambient,
        state_cell::{Held, StateCell},
    },
    fill::Call,
    lookup::Lookup,
    shared::Link,
    state::State,
    table::Table,
    work::IntoFill,
};
use crate::{
    domain::{CachedSettings, Moment, Site, Tag},
    ports::{Addressed, CacheRules, Codec, CodedRules, Refusal, codec},
};

/// The cache of one function, in a static of its body.
#[derive(Debug)]
pub struct CachedCell {
    site: Site,
    annotated: CachedSettings,
    state: StateCell<State>,
}

/// A call before it has looked for its value.
struct Start {
    state: Held<State>,
    hash: u64,
    now: Moment,
}

impl CachedCell {
    /// The cache at this place, with what its attribute says.
    #[must_use]
    pub const fn new(site: Site, annotated: CachedSettings) -> Self {
        Self { site, annotated, state: StateCell::new() }
    }

    /// The value of `key`; if there is none, what `make` makes, which this caller drives.
    ///
    /// # Errors
    /// What `make` answers.
    ///
    /// # Panics
    /// What `make` makes panics, for this caller or the one that this one waits for.
    #[inline]
    pub async fn fill<Q, R, X, C, W>(&'static self, key: Q, rules: C, make: impl FnOnce() -> W) -> Result<R, X>
    where
        Q: Lookup,
        R: Send + Sync + 'static,
        X: Refusal,
        C: CacheRules<R>,
        W: IntoFill,
        W::Future: Future<Output = Result<R, X>>,
    {
        let start = self.start(&key);
        if let Some(value) = start.hit(&key, &rules) {
            return Ok(value);
        }
        // On the heap: a hit need not carry what a fill needs.
        Box::pin(start.call().driven(key, rules, make)).await
    }

    /// The same; what `make` makes goes on without its caller.
    ///
    /// # Errors
    /// What `make` answers.
    ///
    /// # Panics
    /// What `make` makes panics, for this caller or the one that this one waits for.
    #[inline]
    pub async fn fill_detached<Q, R, X, C, W>(&'static self, key: Q, rules: C, make: impl FnOnce() -> W) -> Result<R, X>
    where
        Q: Lookup,
        R: Send + Sync + 'static,
        X: Refusal,
        C: CacheRules<R> + Send + 'static,
        W: IntoFill,
        // The compiler shows this line where a body is not `Send`, so it says what helps.
        W::Future: Future<Output = Result<R, X>> + Send + 'static, // else write `detached = false`
    {
        let start = self.start(&key);
        if let Some(value) = start.hit(&key, &rules) {
            return Ok(value);
        }
        // On the heap: a hit need not carry what a fill needs.
        Box::pin(start.call().detached(key, rules, make)).await
    }

    /// As [`CachedCell::fill`], for a cache that processes share.
    ///
    /// # Errors
    /// What `make` answers.
    ///
    /// # Panics
    /// As [`CachedCell::fill`].
    pub async fn fill_shared<Q, R, X, C, W>(&'static self, key: Q, rules: C, make: impl FnOnce() -> W) -> Result<R, X>
    where
        Q: Lookup<Key: Addressed>,
        R: Send + Sync + 'static,
        X: Refusal,
        C: CacheRules<R> + CodedRules<R>,
        W: IntoFill,
        W::Future: Future<Output = Result<R, X>>,
    {
        let start = self.start(&key);
        if let Some(value) = start.hit(&key, &rules) {
            return Ok(value);
        }
        Box::pin(start.linked(self, codec(&rules)).driven_shared(key, rules, make)).await
    }

    /// As [`CachedCell::fill_detached`], for a cache that processes share.
    ///
    /// # Errors
    /// What `make` answers.
    ///
    /// # Panics
    /// As [`CachedCell::fill_detached`].
    pub async fn fill_shared_detached<Q, R, X, C, W>(
        &'static self,
        key: Q,
        rules: C,
        make: impl FnOnce() -> W,
    ) -> Result<R, X>
    where
        Q: Lookup<Key: Addressed>,
        R: Send + Sync + 'static,
        X: Refusal,
        C: CacheRules<R> + CodedRules<R> + Send + 'static,
        W: IntoFill,
        // The compiler shows this line where a body is not `Send`, so it says what helps.
        W::Future: Future<Output = Result<R, X>> + Send + 'static, // else write `detached = false`
    {
        let start = self.start(&key);
        if let Some(value) = start.hit(&key, &rules) {
            return Ok(value);
        }
        Box::pin(start.linked(self, codec(&rules)).detached_shared(key, rules, make)).await
    }

    /// The same for functions that are not async: whoever waits, blocks its thread.
    ///
    /// # Errors
    /// What `make` answers.
    ///
    /// # Panics
    /// `make` panics, for this caller or the one that this one waits for.
    #[inline]
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
    ///
    /// # Errors
    /// What `make` answers.
    ///
    /// # Panics
    /// `make` panics, for this caller or the one that this one waits for.
    #[inline]
    #[allow(clippy::needless_pass_by_value, reason = "called as the others are")]
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
        let start = self.start(&key);
        if let Some(value) = start.hit(&key, &rules) {
            return Ok(value);
        }
        start.call().now(key, &rules, tags, make)
    }

    #[inline]
    fn start(&'static self, key: &impl Hash) -> Start {
        // First: the clock takes longest, and what needs no time is computed beside it.
        let now = ambient::now();
        let state = self.state();
        let hash = state.common.hash(key);
        Start { state, hash, now }
    }

    pub(super) const fn place(&self) -> &Site {
        &self.site
    }

    /// What the attribute says.
    pub(super) const fn settings(&self) -> &CachedSettings {
        &self.annotated
    }

    /// The table of these types, whose entries processes have in common.
    pub(super) fn linked<K, R>(&self, state: &State, codec: Codec<R>) -> Arc<Table<K, R>>
    where
        K: Addressed + Eq + Hash + Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        let table = state.table();
        table.set_link(|| Link::new(self.site.name, &state.common, codec));
        table
    }

    /// The state that counts for the caller.
    #[inline]
    pub(super) fn state(&'static self) -> Held<State> {
        self.state.get(|| State::new(self.annotated.clone()))
    }
}

impl Start {
    /// The value, if this thread has hit it of late.
    #[inline(always)]
    fn hit<Q, R>(&self, key: &Q, rules: &impl CacheRules<R>) -> Option<R>
    where
        Q: Lookup,
        R: Send + Sync + 'static,
    {
        self.state.first::<Q::Key, R>()?.hit(self.hash, key, self.now, rules)
    }

    fn linked<K, R>(self, cell: &CachedCell, codec: Codec<R>) -> Call<K, R>
    where
        K: Addressed + Eq + Hash + Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        Call { table: cell.linked(&self.state, codec), hash: self.hash, now: self.now }
    }

    fn call<K, R>(self) -> Call<K, R>
    where
        K: Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        Call { table: self.state.table(), hash: self.hash, now: self.now }
    }
}
