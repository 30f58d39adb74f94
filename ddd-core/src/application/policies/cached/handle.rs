use std::{fmt, hash::Hash, marker::PhantomData};

use serde::Serialize;

use super::{
    cell::CachedCell,
    entries::{Entries, EntriesOf},
    handle_rules::HandleRules,
    policy::clear,
    shared::{Hub, SharedEntriesOf},
};
use crate::{
    domain::{Scope, Tag},
    ports::CacheTarget,
};

/// The cache of a function, by hand: typed by the function's key and return type.
///
/// With `scope = "shared"`, what changes entries holds for all processes: for this one at once, for others as soon as the
/// store has told them. If the store does not answer, it is told again and again in the background; a process that ends before
/// it could takes what it owed with it.
pub struct CacheHandle<K: 'static, R: 'static> {
    cell: &'static CachedCell,
    rules: HandleRules<R>,
    entries: &'static (dyn Entries<K, R> + Send + Sync),
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
    pub async fn get(&self, key: &K) -> Option<R> {
        if let Some(value) = self.entries.get(self.cell, self.rules, key) {
            return Some(value);
        }
        self.entries.get_shared(self.cell, self.rules, key)?.await
    }

    /// Stores a value, as a fill that began now would; what is being filled for this key is not stored any more. Like a
    /// fill's, the value is not stored if the attribute does not want it stored. The entry has no tags.
    pub async fn put(&self, key: K, value: R) {
        if let Some(told) = self.entries.put(self.cell, self.rules, key, value, Vec::new()) {
            told.await;
        }
    }

    /// The same, with these tags.
    pub async fn put_tagged<T: Into<Tag>>(&self, key: K, value: R, tags: impl IntoIterator<Item = T>) {
        let tags = tags.into_iter().map(Into::into).collect();
        if let Some(told) = self.entries.put(self.cell, self.rules, key, value, tags) {
            told.await;
        }
    }

    /// Forgets the value of a key. A fill that began before is not stored, and no later call is answered with it.
    pub async fn invalidate(&self, key: &K) {
        if let Some(told) = self.entries.invalidate(self.cell, self.rules, key) {
            told.await;
        }
    }

    /// Forgets all values with this tag, likewise.
    pub async fn invalidate_tag(&self, tag: impl Into<Tag>) {
        let tag = tag.into();
        self.cell.state().common.tags.invalidate(&tag);
        self.tell(CacheTarget::Tag(tag)).await;
    }

    /// Forgets all values, likewise.
    pub async fn clear(&self) {
        clear(&self.cell.state());
        self.tell(CacheTarget::All).await;
    }

    /// Lets the next call of this key fill it anew: in the background, while the value that is there is served, or in place
    /// of that call if its arguments are borrowed. Without a value, nothing happens.
    #[allow(clippy::unused_async, reason = "as the others, so that it can come to ask the store")]
    pub async fn refresh(&self, key: &K) {
        self.entries.refresh(self.cell, key);
    }

    async fn tell(&self, target: CacheTarget) {
        if self.cell.settings().scope == Scope::Shared {
            Hub::current().invalidate(self.cell.place().name, target).await;
        }
    }
}

impl<K: Hash + Eq + Serialize + Send + Sync + 'static, R: Send + Sync + 'static> CacheHandle<K, R> {
    /// The same for a cache that processes share. Called by generated code.
    #[must_use]
    pub const fn new_shared<I: ?Sized + 'static>(cell: &'static CachedCell, rules: HandleRules<R>) -> Self {
        Self { cell, rules, entries: &SharedEntriesOf::<I>(PhantomData) }
    }
}

impl<K, R> fmt::Debug for CacheHandle<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CacheHandle").field(self.cell).finish()
    }
}
