//! What a handle does with the entries that processes share.

use std::{hash::Hash, marker::PhantomData, sync::Arc};

use serde::Serialize;
use tokio::runtime::Handle;

use super::super::{
    super::ambient,
    cell::CachedCell,
    entries::{Entries, EntriesOf, put},
    handle_rules::HandleRules,
    table::Table,
};
use crate::{
    domain::Tag,
    ports::{BoxFuture, CacheRules, Of},
};

/// Those of the instance of the type `I`.
pub(in super::super) struct SharedEntriesOf<I: ?Sized>(pub(in super::super) PhantomData<fn() -> PhantomData<I>>);

impl<I: ?Sized + 'static> SharedEntriesOf<I> {
    fn table<K, R>(cell: &'static CachedCell, rules: &HandleRules<R>) -> Arc<Table<Of<I, K>, R>>
    where
        K: Hash + Eq + Serialize + Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        let state = cell.state();
        match rules.codec() {
            Some(codec) => cell.linked(&state, codec),
            // Rules that cannot write their values are for this process alone.
            None => state.table(),
        }
    }
}

impl<I, K, R> Entries<K, R> for SharedEntriesOf<I>
where
    I: ?Sized + 'static,
    K: Hash + Eq + Serialize + Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    fn get(&self, cell: &'static CachedCell, rules: HandleRules<R>, key: &K) -> Option<R> {
        Self::table::<K, R>(cell, &rules);
        EntriesOf::<I>(PhantomData).get(cell, rules, key)
    }

    fn get_shared(
        &self,
        cell: &'static CachedCell,
        rules: HandleRules<R>,
        key: &K,
    ) -> Option<BoxFuture<'static, Option<R>>> {
        let table = Self::table::<K, R>(cell, &rules);
        let place = table.link()?.place_of(&Of::<I, &K>::of(key), Vec::new())?;
        Some(Box::pin(async move { table.link()?.peek(&place).await }))
    }

    fn put(
        &self,
        cell: &'static CachedCell,
        rules: HandleRules<R>,
        key: K,
        value: R,
        tags: Vec<Tag>,
    ) -> Option<BoxFuture<'static, ()>> {
        let (table, key) = (Self::table::<K, R>(cell, &rules), Of::of(key));
        let Some(place) = table.link().and_then(|it| it.place_of(&key, tags.clone())) else {
            put(&table, rules, key, value, tags);
            return None;
        };
        table.invalidate(&key);
        let stored = rules.is_stored(&value);
        let is_kept = table.common.keeps(stored);
        let write = table.link().filter(|_| is_kept).and_then(|it| it.write(&place, &value, stored));
        let Some(write) = write else {
            return finished(async move {
                if let Some(link) = table.link() {
                    link.forget(&place).await;
                }
                put(&table, rules, key, value, tags);
            });
        };
        if let Some(link) = table.link() {
            link.outdate(&place);
        }
        // Before the store has the value: what overtakes it from then on, wherever that is, finds the entry and outdates it.
        let (entry, _) = table.entry(table.common.hash(&key), key, tags);
        finished(async move {
            let Some(link) = table.link() else { return };
            link.replace(write).await;
            if table.common.is_current(&entry.life) {
                // What was asked of the store before it had this value is gone with it.
                entry.key().into_iter().for_each(|it| table.invalidate(it));
                if rules.share(&value).is_some() {
                    let weight = rules.weight(&value);
                    table.store(&entry, value, weight, stored, ambient::now());
                }
            } else {
                // Nobody here knows which of the values the store has now.
                link.outdate(&place);
            }
            drop(entry);
            table.bury();
        })
    }

    fn invalidate(&self, cell: &'static CachedCell, rules: HandleRules<R>, key: &K) -> Option<BoxFuture<'static, ()>> {
        let (table, key) = (Self::table::<K, R>(cell, &rules), Of::<I, &K>::of(key));
        table.invalidate(&key);
        let link = table.link()?;
        let place = link.place_of(&key, Vec::new())?;
        // What is being put is among neither the fills nor what is kept.
        link.outdate(&place);
        finished(async move {
            if let Some(link) = table.link() {
                link.forget(&place).await;
            }
        })
    }

    fn refresh(&self, cell: &'static CachedCell, key: &K) {
        Entries::<K, R>::refresh(&EntriesOf::<I>(PhantomData), cell, key);
    }
}

/// A future that goes on if who awaits it is dropped; without a runtime it ends with that.
fn finished(work: impl Future<Output = ()> + Send + 'static) -> Option<BoxFuture<'static, ()>> {
    let Ok(runtime) = Handle::try_current() else { return Some(Box::pin(work)) };
    let work = runtime.spawn(ambient::carried(work));
    Some(Box::pin(async move {
        // It ends by itself, or with the runtime.
        let _ = work.await;
    }))
}
