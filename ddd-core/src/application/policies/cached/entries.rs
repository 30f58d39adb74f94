//! What a handle does with the entries of one instance of its function, which its type does not say.

use std::{hash::Hash, marker::PhantomData, sync::Arc};

use super::{
    super::ambient,
    cell::CachedCell,
    handle_rules::HandleRules,
    table::{Look, Table},
};
use crate::{
    domain::Tag,
    ports::{BoxFuture, CacheRules, Of},
};

/// The entries that a handle is for. What a method cannot do at once it answers as a future.
pub(super) trait Entries<K, R> {
    /// The value that this process has.
    fn get(&self, cell: &'static CachedCell, rules: HandleRules<R>, key: &K) -> Option<R>;

    /// The value that all processes have.
    fn get_shared(
        &self,
        _cell: &'static CachedCell,
        _rules: HandleRules<R>,
        _key: &K,
    ) -> Option<BoxFuture<'static, Option<R>>> {
        None
    }

    fn put(
        &self,
        cell: &'static CachedCell,
        rules: HandleRules<R>,
        key: K,
        value: R,
        tags: Vec<Tag>,
    ) -> Option<BoxFuture<'static, ()>>;

    fn invalidate(&self, cell: &'static CachedCell, rules: HandleRules<R>, key: &K) -> Option<BoxFuture<'static, ()>>;

    fn refresh(&self, cell: &'static CachedCell, key: &K);
}

/// Those of the instance of the type `I`, in this process.
pub(super) struct EntriesOf<I: ?Sized>(pub(super) PhantomData<fn() -> PhantomData<I>>);

impl<I, K, R> Entries<K, R> for EntriesOf<I>
where
    I: ?Sized + 'static,
    K: Hash + Eq + Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    fn get(&self, cell: &'static CachedCell, rules: HandleRules<R>, key: &K) -> Option<R> {
        let state = cell.state();
        let hash = state.common.hash(&Of::<I, &K>::of(key));
        match state.table::<Of<I, K>, R>().look(hash, |it| it.key() == key, ambient::now(), &rules) {
            Look::Hit(value) => Some(value),
            Look::Due(value, entry) => {
                entry.life.end_refresh();
                Some(value)
            }
            Look::Miss(_) => None,
        }
    }

    fn put(
        &self,
        cell: &'static CachedCell,
        rules: HandleRules<R>,
        key: K,
        value: R,
        tags: Vec<Tag>,
    ) -> Option<BoxFuture<'static, ()>> {
        let table = cell.state().table::<Of<I, K>, R>();
        put(&table, rules, Of::of(key), value, tags);
        None
    }

    fn invalidate(&self, cell: &'static CachedCell, _rules: HandleRules<R>, key: &K) -> Option<BoxFuture<'static, ()>> {
        cell.state().table::<Of<I, K>, R>().invalidate(&Of::<I, &K>::of(key));
        None
    }

    fn refresh(&self, cell: &'static CachedCell, key: &K) {
        cell.state().table::<Of<I, K>, R>().want_anew(&Of::<I, &K>::of(key));
    }
}

/// Stores a value in this process, as a fill that began now would.
pub(super) fn put<K, R>(table: &Arc<Table<K, R>>, rules: HandleRules<R>, key: K, value: R, tags: Vec<Tag>)
where
    K: Hash + Eq + Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    table.invalidate(&key);
    let stored = rules.is_stored(&value);
    if table.common.keeps(stored) && rules.share(&value).is_some() {
        let hash = table.common.hash(&key);
        let (entry, _) = table.entry(hash, key, tags);
        let weight = rules.weight(&value);
        table.store(&entry, value, weight, stored, ambient::now());
    }
    table.bury();
}
