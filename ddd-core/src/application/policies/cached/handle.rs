use std::{fmt, hash::Hash, marker::PhantomData};

use super::{super::ambient, cell::CachedCell, policy::clear, table::Look};
use crate::{
    domain::{Stored, Tag},
    ports::CacheRules,
};

/// The cache of a function, by hand: typed by the function's key and return type.
pub struct CacheHandle<K, R> {
    cell: &'static CachedCell,
    rules: HandleRules<R>,
    key: PhantomData<fn(K)>,
}

/// The rules of a cache without captures, so that a constant can hold them.
pub struct HandleRules<R> {
    is_stored: fn(&R) -> Stored,
    share: fn(&R) -> Option<R>,
    weight: fn(&R) -> u32,
}

impl<R> HandleRules<R> {
    /// As [`CacheRules::is_stored`] and [`CacheRules::share`]; everything weighs 1.
    #[must_use]
    pub const fn new(is_stored: fn(&R) -> Stored, share: fn(&R) -> Option<R>) -> Self {
        Self { is_stored, share, weight: |_| 1 }
    }

    /// As [`CacheRules::weight`].
    #[must_use]
    pub const fn weighed(mut self, weight: fn(&R) -> u32) -> Self {
        self.weight = weight;
        self
    }
}

impl<R> CacheRules<R> for HandleRules<R> {
    fn is_stored(&self, value: &R) -> Stored {
        (self.is_stored)(value)
    }

    fn share(&self, value: &R) -> Option<R> {
        (self.share)(value)
    }

    fn weight(&self, value: &R) -> u32 {
        (self.weight)(value)
    }
}

impl<K: Hash + Eq + Send + Sync + 'static, R: Send + Sync + 'static> CacheHandle<K, R> {
    /// The handle of this cell. Called by generated code.
    #[must_use]
    pub const fn new(cell: &'static CachedCell, rules: HandleRules<R>) -> Self {
        Self { cell, rules, key: PhantomData }
    }

    /// The value that a call would be answered with at once; `None` if the call would run the body, or if the value holds
    /// an error that is not `Clone`. It counts neither as a hit nor as a miss.
    #[allow(clippy::unused_async, reason = "a cache that processes share is asked over the network")]
    pub async fn get(&self, key: &K) -> Option<R> {
        let state = self.cell.state();
        let hash = state.common.hash(key);
        match state.table::<K, R>().look(hash, |it| it == key, ambient::now(), &self.rules) {
            Look::Hit(value) => Some(value),
            Look::Due(value, entry) => {
                entry.life.end_refresh();
                Some(value)
            }
            Look::Miss(_) => None,
        }
    }

    /// Stores a value, as a fill that began now would; what is being filled for this key is not stored any more. Like a
    /// fill's, the value is not stored if the attribute does not want it stored. The entry has no tags.
    pub async fn put(&self, key: K, value: R) {
        self.put_tagged(key, value, [] as [Tag; 0]).await;
    }

    /// The same, with these tags.
    #[allow(clippy::unused_async, reason = "a cache that processes share is told over the network")]
    pub async fn put_tagged<T: Into<Tag>>(&self, key: K, value: R, tags: impl IntoIterator<Item = T>) {
        let tags = tags.into_iter().map(Into::into).collect();
        let table = self.cell.state().table::<K, R>();
        table.invalidate(&key);
        let stored = self.rules.is_stored(&value);
        if table.common.keeps(stored) && self.rules.share(&value).is_some() {
            let hash = table.common.hash(&key);
            let entry = table.entry(hash, key, tags);
            let weight = self.rules.weight(&value);
            table.store(&entry, value, weight, stored, ambient::now());
        }
        table.bury();
    }

    /// Forgets the value of a key. A fill that began before is not stored, and no later call is answered with it.
    #[allow(clippy::unused_async, reason = "a cache that processes share is told over the network")]
    pub async fn invalidate(&self, key: &K) {
        self.cell.state().table::<K, R>().invalidate(key);
    }

    /// Forgets all values with this tag, likewise.
    #[allow(clippy::unused_async, reason = "a cache that processes share is told over the network")]
    pub async fn invalidate_tag(&self, tag: impl Into<Tag>) {
        self.cell.state().common.tags.invalidate(&tag.into());
    }

    /// Forgets all values, likewise.
    #[allow(clippy::unused_async, reason = "a cache that processes share is told over the network")]
    pub async fn clear(&self) {
        clear(&self.cell.state());
    }

    /// Lets the next call of this key fill it anew: in the background, while the value that is there is served, or in place
    /// of that call if its arguments are borrowed. Without a value, nothing happens.
    #[allow(clippy::unused_async, reason = "a cache that processes share is told over the network")]
    pub async fn refresh(&self, key: &K) {
        self.cell.state().table::<K, R>().want_anew(key);
    }
}

impl<K, R> fmt::Debug for CacheHandle<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CacheHandle").field(self.cell).finish()
    }
}

impl<R> fmt::Debug for HandleRules<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandleRules").finish_non_exhaustive()
    }
}
