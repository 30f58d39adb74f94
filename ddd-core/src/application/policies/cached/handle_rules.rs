use std::fmt;

use crate::{
    domain::Stored,
    ports::{CacheRules, Codec},
};

/// The rules of a cache without captures, so that a constant can hold them.
pub struct HandleRules<R> {
    is_stored: fn(&R) -> Stored,
    share: fn(&R) -> Option<R>,
    weight: fn(&R) -> u32,
    codec: Option<CodecOf<R>>,
}

/// How the values of a cache are written and read, once somebody asks.
type CodecOf<R> = fn() -> Codec<R>;

impl<R> HandleRules<R> {
    /// As [`CacheRules::is_stored`] and [`CacheRules::share`]; everything weighs 1.
    #[must_use]
    pub const fn new(is_stored: fn(&R) -> Stored, share: fn(&R) -> Option<R>) -> Self {
        Self { is_stored, share, weight: |_| 1, codec: None }
    }

    /// As [`CacheRules::weight`].
    #[must_use]
    pub const fn weighed(mut self, weight: fn(&R) -> u32) -> Self {
        self.weight = weight;
        self
    }

    /// For a cache that processes share: how its values are written and read.
    #[must_use]
    pub const fn coded(mut self, codec: fn() -> Codec<R>) -> Self {
        self.codec = Some(codec);
        self
    }

    pub(super) fn codec(&self) -> Option<Codec<R>> {
        self.codec.map(|it| it())
    }
}

impl<R> Clone for HandleRules<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for HandleRules<R> {}

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

impl<R> fmt::Debug for HandleRules<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandleRules").finish_non_exhaustive()
    }
}
