use std::future::Future;

use super::{
    super::{
        ambient,
        state_cell::{Held, StateCell},
    },
    fill::Call,
    lookup::Lookup,
    state::State,
    work::IntoFill,
};
use crate::{
    domain::{CachedSettings, Site, Tag},
    ports::{CacheRules, Refusal},
};

/// The cache of one function, in a static of its body.
#[derive(Debug)]
pub struct CachedCell {
    site: Site,
    annotated: CachedSettings,
    state: StateCell<State>,
}

/// What the front table made of a call.
enum Begun<K: Send + Sync + 'static, R: Send + Sync + 'static, Q> {
    Hit(R),
    Call(Call<K, R>, Q),
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
        match self.begin(key, &rules) {
            Begun::Hit(value) => Ok(value),
            Begun::Call(call, key) => call.driven(key, rules, make).await,
        }
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
        W::Future: Future<Output = Result<R, X>> + Send + 'static,
    {
        match self.begin(key, &rules) {
            Begun::Hit(value) => Ok(value),
            Begun::Call(call, key) => call.detached(key, rules, make).await,
        }
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
        match self.begin(key, &rules) {
            Begun::Hit(value) => Ok(value),
            Begun::Call(call, key) => call.now(key, &rules, tags, make),
        }
    }

    #[inline]
    fn begin<Q, R>(&'static self, key: Q, rules: &impl CacheRules<R>) -> Begun<Q::Key, R, Q>
    where
        Q: Lookup,
        R: Send + Sync + 'static,
    {
        let state = self.state();
        let (hash, now) = (state.common.hash(&key), ambient::now());
        if let Some(table) = state.first::<Q::Key, R>()
            && let Some(value) = table.hit(hash, &key, now, rules)
        {
            return Begun::Hit(value);
        }
        Begun::Call(Call { table: state.table(), hash, now }, key)
    }

    pub(super) const fn place(&self) -> &Site {
        &self.site
    }

    /// What the attribute says.
    pub(super) const fn settings(&self) -> &CachedSettings {
        &self.annotated
    }

    /// Looks at the state that counts for the caller.
    pub(super) fn with<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.state.with(|| State::new(self.annotated.clone()), look)
    }

    /// The state that counts for the caller.
    #[inline]
    pub(super) fn state(&'static self) -> Held<State> {
        self.state.get(|| State::new(self.annotated.clone()))
    }
}
