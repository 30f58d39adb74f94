use std::{fmt, hash::Hash, marker::PhantomData};

use super::{super::ambient, cell::CachedCell, policy::clear, table::Look};
use crate::{
    domain::{Stored, Tag},
    ports::{CacheRules, Of},
};

/// The cache of a function, by hand: typed by the function's key and return type.
pub struct CacheHandle<K: 'static, R: 'static> {
    cell: &'static CachedCell,
    rules: HandleRules<R>,
    entries: &'static (dyn Entries<K, R> + Send + Sync),
}

/// The entries that a handle is for: those of one instance of its function, which its type does not say.
trait Entries<K, R> {
    fn get(&self, cell: &'static CachedCell, rules: &HandleRules<R>, key: &K) -> Option<R>;
    fn put(&self, cell: &'static CachedCell, rules: &HandleRules<R>, key: K, value: R, tags: Vec<Tag>);
    fn invalidate(&self, cell: &'static CachedCell, key: &K);
    fn refresh(&self, cell: &'static CachedCell, key: &K);
}

/// Those of the instance of the type `I`.
struct EntriesOf<I: ?Sized>(PhantomData<fn() -> PhantomData<I>>);

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
    /// The handle of this cell, for the instance of the type `I`: what an `impl` block is for, and `()` for a free function.
    /// Called by generated code.
    #[must_use]
    pub const fn new<I: ?Sized + 'static>(cell: &'static CachedCell, rules: HandleRules<R>) -> Self {
        Self { cell, rules, entries: &EntriesOf::<I>(PhantomData) }
    }

    /// The cache that it leads to. Called by generated code.
    #[doc(hidden)]
    #[must_use]
    pub const fn cell(&self) -> &'static CachedCell {
        self.cell
    }

    /// The value that a call would be answered with at once; `None` if the call would run the body, or if the value holds
    /// an error that is not `Clone`. It counts neither as a hit nor as a miss.
    #[allow(clippy::unused_async, reason = "a cache that processes share is asked over the network")]
    pub async fn get(&self, key: &K) -> Option<R> {
        self.entries.get(self.cell, &self.rules, key)
    }

    /// Stores a value, as a fill that began now would; what is being filled for this key is not stored any more. Like a
    /// fill's, the value is not stored if the attribute does not want it stored. The entry has no tags.
    #[allow(clippy::unused_async, reason = "a cache that processes share is told over the network")]
    pub async fn put(&self, key: K, value: R) {
        self.entries.put(self.cell, &self.rules, key, value, Vec::new());
    }

    /// The same, with these tags.
    #[allow(clippy::unused_async, reason = "a cache that processes share is told over the network")]
    pub async fn put_tagged<T: Into<Tag>>(&self, key: K, value: R, tags: impl IntoIterator<Item = T>) {
        let tags = tags.into_iter().map(Into::into).collect();
        self.entries.put(self.cell, &self.rules, key, value, tags);
    }

    /// Forgets the value of a key. A fill that began before is not stored, and no later call is answered with it.
    #[allow(clippy::unused_async, reason = "a cache that processes share is told over the network")]
    pub async fn invalidate(&self, key: &K) {
        self.entries.invalidate(self.cell, key);
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
        self.entries.refresh(self.cell, key);
    }
}

impl<I, K, R> Entries<K, R> for EntriesOf<I>
where
    I: ?Sized + 'static,
    K: Hash + Eq + Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    fn get(&self, cell: &'static CachedCell, rules: &HandleRules<R>, key: &K) -> Option<R> {
        let state = cell.state();
        let hash = state.common.hash(&Of::<I, &K>::of(key));
        match state.table::<Of<I, K>, R>().look(hash, |it| it.key() == key, ambient::now(), rules) {
            Look::Hit(value) => Some(value),
            Look::Due(value, entry) => {
                entry.life.end_refresh();
                Some(value)
            }
            Look::Miss(_) => None,
        }
    }

    fn put(&self, cell: &'static CachedCell, rules: &HandleRules<R>, key: K, value: R, tags: Vec<Tag>) {
        let table = cell.state().table::<Of<I, K>, R>();
        let key = Of::<I, K>::of(key);
        table.invalidate(&key);
        let stored = rules.is_stored(&value);
        if table.common.keeps(stored) && rules.share(&value).is_some() {
            let hash = table.common.hash(&key);
            let entry = table.entry(hash, key, tags);
            let weight = rules.weight(&value);
            table.store(&entry, value, weight, stored, ambient::now());
        }
        table.bury();
    }

    fn invalidate(&self, cell: &'static CachedCell, key: &K) {
        cell.state().table::<Of<I, K>, R>().invalidate(&Of::<I, &K>::of(key));
    }

    fn refresh(&self, cell: &'static CachedCell, key: &K) {
        cell.state().table::<Of<I, K>, R>().want_anew(&Of::<I, &K>::of(key));
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
