use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use parking_lot::RwLock;

use super::{
    common::Common,
    table::{AnyTable, Table},
};
use crate::domain::CachedSettings;

/// The state of one cache: a table for each set of types that its function was called with.
#[derive(Debug)]
pub(super) struct State {
    pub(super) common: Arc<Common>,
    /// The only one of a function that is not generic.
    first: OnceLock<Arc<dyn AnyTable>>,
    others: RwLock<HashMap<TypeId, Arc<dyn AnyTable>>>,
}

impl State {
    pub(super) fn new(settings: CachedSettings) -> Self {
        Self { common: Arc::new(Common::new(settings)), first: OnceLock::new(), others: RwLock::default() }
    }

    /// The table of these types, if it is the first one.
    #[inline]
    pub(super) fn first<K, R>(&self) -> Option<&Table<K, R>>
    where
        K: Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        let first: &dyn Any = self.first.get()?.as_ref();
        first.downcast_ref()
    }

    /// The table of these types.
    pub(super) fn table<K, R>(&self) -> Arc<Table<K, R>>
    where
        K: Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        if let Some(found) = self.found() {
            return found;
        }
        let made = Arc::new(Table::new(self.common.clone()));
        let _ = self.first.set(made.clone());
        if let Some(found) = self.found() {
            return found;
        }
        let kept = self.others.write().entry(TypeId::of::<Table<K, R>>()).or_insert_with(|| made.clone()).clone();
        // The type's id is the key, so what is kept is of this type.
        kept.any().downcast().unwrap_or(made)
    }

    /// All tables.
    pub(super) fn all(&self) -> Vec<Arc<dyn AnyTable>> {
        let others = self.others.read();
        self.first.get().into_iter().chain(others.values()).cloned().collect()
    }

    fn found<K, R>(&self) -> Option<Arc<Table<K, R>>>
    where
        K: Send + Sync + 'static,
        R: Send + Sync + 'static,
    {
        let first = self.first.get()?.clone();
        if let Ok(found) = first.any().downcast() {
            return Some(found);
        }
        let other = self.others.read().get(&TypeId::of::<Table<K, R>>())?.clone();
        other.any().downcast().ok()
    }
}
