use std::{fmt, hash::Hash, marker::PhantomData};

use super::cell::CachedCell;
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
