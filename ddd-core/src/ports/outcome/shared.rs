//! What a cache that processes share asks of keys and values beside what every cache does: that they can be written and read.

use std::{any::type_name, hash::Hash};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    keys::{CacheKey, CacheKeyOf, LentKey, Of},
    rules::{AnyRules, CacheValue, OptionRules, ResultRules, SharedRules, StoreIf, Weigh},
};
use crate::domain::LimitKey;

/// What a shared cache can tell calls apart by, in all processes.
///
/// Every type that is `Serialize` is one.
#[diagnostic::on_unimplemented(
    message = "a shared cache cannot tell calls apart by `{Self}`",
    label = "not `Serialize`",
    note = "processes know a key by its JSON: derive `serde::Serialize` for a type of yours",
    note = "or write a key that is a text or a number: `#[cached(key = …)]`"
)]
pub trait SharedCacheKey: Serialize {}

#[diagnostic::do_not_recommend]
impl<K: Serialize + ?Sized> SharedCacheKey for K {}

/// What a shared cache can keep.
///
/// Every type that is `Serialize + DeserializeOwned` is one.
#[diagnostic::on_unimplemented(
    message = "a shared cache cannot keep `{Self}`",
    label = "not `Serialize + DeserializeOwned`",
    note = "processes hand values to each other as JSON: derive `serde::Serialize, serde::Deserialize` for a type of yours",
    note = "or let each process keep its own: leave `scope = \"shared\"` out"
)]
pub trait SharedCacheValue: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> SharedCacheValue for T {}

/// A key that all processes write alike.
pub trait Addressed {
    /// The key as text.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    fn address(&self) -> serde_json::Result<String>;

    /// What tells it from other keys of the same text: those of a type whose JSON leaves something out.
    fn check(&self) -> u128;
}

impl<I: ?Sized, K: Hash + Serialize> Addressed for Of<I, K> {
    fn address(&self) -> serde_json::Result<String> {
        let key = serde_json::to_string(self.key())?;
        let instance = type_name::<I>();
        // Only the instances of generic functions need to be told apart, and the compiler's names of types may change.
        Ok(if instance.contains('<') { format!("{instance} {key}") } else { key })
    }

    fn check(&self) -> u128 {
        LimitKey::of((0, 0), self.key()).0
    }
}

impl<K: CacheKey + SharedCacheKey> CacheKeyOf<K> {
    /// As [`CacheKeyOf::written`], for all processes.
    #[inline]
    pub fn written_shared(self) -> K {
        self.0
    }
}

impl<K: CacheKey + SharedCacheKey + Clone> CacheKeyOf<&K> {
    /// As [`CacheKeyOf::part`], for all processes.
    #[inline]
    #[must_use]
    pub fn part_shared(self) -> K {
        self.0.clone()
    }
}

impl<'a, T: LentKey + SharedCacheKey + ?Sized> CacheKeyOf<&'a T> {
    /// As [`CacheKeyOf::borrowed`], for all processes.
    #[inline]
    #[must_use]
    pub const fn borrowed_shared(self) -> &'a T {
        self.0
    }
}

/// A value as processes hand it to each other.
#[derive(Clone, Debug)]
#[allow(clippy::exhaustive_enums, reason = "whoever writes values decides on each")]
pub enum Coded {
    /// A value.
    Value(Box<RawValue>),
    /// The answer that there is none.
    Nothing,
    /// It is for this process alone, as errors are.
    Apart,
}

/// How the values of a cache are written and read.
#[derive(Debug)]
#[allow(clippy::exhaustive_structs, reason = "generated code hands it on")]
pub struct Codec<R> {
    /// Writes one.
    pub write: fn(&R) -> serde_json::Result<Coded>,
    /// Reads one; `None` is the answer that there is none.
    pub read: fn(Option<&RawValue>) -> serde_json::Result<R>,
}

impl<R> Clone for Codec<R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Codec<R> {}

/// The rules of a cache whose values can be written and read.
pub trait CodedRules<R> {
    /// As [`Codec::write`].
    ///
    /// # Errors
    /// It cannot be written as JSON.
    fn write(value: &R) -> serde_json::Result<Coded>;

    /// As [`Codec::read`].
    ///
    /// # Errors
    /// The JSON is of no such value.
    fn read(value: Option<&RawValue>) -> serde_json::Result<R>;
}

/// How the values under these rules are written and read.
pub const fn codec<R, C: CodedRules<R>>(_rules: &C) -> Codec<R> {
    Codec { write: C::write, read: C::read }
}

fn value<T: Serialize>(value: &T) -> serde_json::Result<Coded> {
    serde_json::value::to_raw_value(value).map(Coded::Value)
}

fn read<T: DeserializeOwned>(value: Option<&RawValue>) -> serde_json::Result<T> {
    serde_json::from_str(value.unwrap_or(RawValue::NULL).get())
}

macro_rules! results {
    ($([$($bounds:tt)*] $rules:ty;)*) => {
        $(
            impl<T: SharedCacheValue, $($bounds)*> CodedRules<Result<T, E>> for $rules {
                fn write(it: &Result<T, E>) -> serde_json::Result<Coded> {
                    it.as_ref().map_or(Ok(Coded::Apart), value)
                }

                fn read(value: Option<&RawValue>) -> serde_json::Result<Result<T, E>> {
                    read(value).map(Ok)
                }
            }

            impl<T: CacheValue + SharedCacheValue, $($bounds)*> $rules {
                /// Themselves, if values can be handed to other processes.
                #[inline]
                #[must_use]
                pub const fn shared(self) -> Self {
                    self
                }
            }
        )*
    };
}
results! {
    [E: Clone] SharedRules<T, E>;
    [E] ResultRules<T, E>;
}

impl<T: SharedCacheValue> CodedRules<Option<T>> for OptionRules<T> {
    fn write(it: &Option<T>) -> serde_json::Result<Coded> {
        it.as_ref().map_or(Ok(Coded::Nothing), value)
    }

    fn read(value: Option<&RawValue>) -> serde_json::Result<Option<T>> {
        value.map(|it| read(Some(it))).transpose()
    }
}

impl<T: CacheValue + SharedCacheValue> OptionRules<T> {
    /// Themselves, if values can be handed to other processes.
    #[inline]
    #[must_use]
    pub const fn shared(self) -> Self {
        self
    }
}

impl<R: SharedCacheValue> CodedRules<R> for AnyRules<R> {
    fn write(it: &R) -> serde_json::Result<Coded> {
        value(it)
    }

    fn read(value: Option<&RawValue>) -> serde_json::Result<R> {
        read(value)
    }
}

impl<R: CacheValue + SharedCacheValue> AnyRules<R> {
    /// Themselves, if values can be handed to other processes.
    #[inline]
    #[must_use]
    pub const fn shared(self) -> Self {
        self
    }
}

impl<R, C: CodedRules<R>, F> CodedRules<R> for StoreIf<C, F> {
    fn write(value: &R) -> serde_json::Result<Coded> {
        C::write(value)
    }

    fn read(value: Option<&RawValue>) -> serde_json::Result<R> {
        C::read(value)
    }
}

impl<R, C: CodedRules<R>, F> CodedRules<R> for Weigh<C, F> {
    fn write(value: &R) -> serde_json::Result<Coded> {
        C::write(value)
    }

    fn read(value: Option<&RawValue>) -> serde_json::Result<R> {
        C::read(value)
    }
}
