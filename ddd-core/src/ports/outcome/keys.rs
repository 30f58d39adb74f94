//! What tells the calls of a cache or a limit apart.

use std::{
    fmt::{self, Debug},
    hash::{Hash, Hasher},
    marker::PhantomData,
};

/// What a cache can tell calls apart by.
///
/// Every type that is `Hash + Eq + Send + Sync + 'static` is one.
#[diagnostic::on_unimplemented(
    message = "a cache cannot tell calls apart by `{Self}`",
    label = "not `Hash + Eq + Send + Sync`",
    note = "a type of yours: derive `Clone, PartialEq, Eq, Hash`",
    note = "something that does not matter: write `#[cached(key = …)]` without it"
)]
pub trait CacheKey: Hash + Eq + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<K: Hash + Eq + Send + Sync + 'static> CacheKey for K {}

/// What a limit can tell callers apart by: it looks at the key, and keeps its hash.
///
/// Every type that is `Hash + Debug` is one.
#[diagnostic::on_unimplemented(
    message = "a limit cannot tell callers apart by `{Self}`",
    label = "not `Hash + Debug`",
    note = "a type of yours: derive `Debug, Hash`"
)]
pub trait LimitKey: Hash + Debug {}

#[diagnostic::do_not_recommend]
impl<K: Hash + Debug + ?Sized> LimitKey for K {}

/// A key that the user wrote.
#[inline]
pub const fn limit_key<K: LimitKey + ?Sized>(key: &K) -> &K {
    key
}

/// What a cache can tell calls apart by although it is only lent: `str`, slices, and what is `Clone` and a [`CacheKey`].
#[diagnostic::on_unimplemented(
    message = "a cache cannot tell calls apart by `&{Self}`",
    label = "no copy of it can be kept that is `Hash + Eq + Send + Sync`",
    note = "a type of yours: derive `Clone, PartialEq, Eq, Hash`",
    note = "something that does not matter: write `#[cached(key = …)]` without it"
)]
pub trait LentKey: ToOwned<Owned: Hash + Eq + Send + Sync + 'static> + Hash + Eq {}

#[diagnostic::do_not_recommend]
impl<T: ToOwned<Owned: Hash + Eq + Send + Sync + 'static> + Hash + Eq + ?Sized> LentKey for T {}

/// What is to be a key, or a part of one, and must be asked first.
///
/// Methods ask, not functions: of a value without the method the compiler says that, and nothing of what follows.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "generated code makes it")]
pub struct CacheKeyOf<K>(pub K);

impl<K: CacheKey> CacheKeyOf<K> {
    /// A key that the user wrote.
    #[inline]
    pub fn written(self) -> K {
        self.0
    }
}

impl<K: CacheKey + Clone> CacheKeyOf<&K> {
    /// A copy of an argument.
    #[inline]
    #[must_use]
    pub fn part(self) -> K {
        self.0.clone()
    }
}

impl<'a, T: LentKey + ?Sized> CacheKeyOf<&'a T> {
    /// A borrowed argument.
    #[inline]
    #[must_use]
    pub const fn borrowed(self) -> &'a T {
        self.0
    }
}

/// A key of one instance of a function: what a generic function keeps for one type is not for another.
///
/// The instance is told by a closure that stands in the function. A closure has a type for each instance of what it stands in,
/// type parameters of the surrounding `impl` included, and that type is `'static` whatever these are. It costs nothing: it
/// is part of the key's type.
pub struct Of<I: ?Sized, K> {
    key: K,
    instance: PhantomData<fn() -> PhantomData<I>>,
}

impl<I, K> Of<I, K> {
    /// The key of the instance that `_instance` stands in.
    #[inline]
    pub const fn new(_instance: &I, key: K) -> Self {
        Self::of(key)
    }
}

impl<I: ?Sized, K> Of<I, K> {
    /// The same where the instance has a type with a name.
    #[inline]
    #[allow(clippy::self_named_constructors, reason = "as for the parts of a key")]
    pub const fn of(key: K) -> Self {
        Self { key, instance: PhantomData }
    }

    /// The key itself.
    #[inline]
    pub const fn key(&self) -> &K {
        &self.key
    }
}

impl<I: ?Sized, K: Hash> Hash for Of<I, K> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl<I: ?Sized, K: PartialEq> PartialEq for Of<I, K> {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

/// With a key that is only borrowed.
impl<I: ?Sized, K: PartialEq> PartialEq<Of<I, &K>> for Of<I, K> {
    #[inline]
    fn eq(&self, other: &Of<I, &K>) -> bool {
        self.key == *other.key
    }
}

impl<I: ?Sized, K: Eq> Eq for Of<I, K> {}

impl<I: ?Sized, K: Clone> Clone for Of<I, K> {
    fn clone(&self) -> Self {
        Self { key: self.key.clone(), instance: PhantomData }
    }
}

impl<I: ?Sized, K: Debug> Debug for Of<I, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}
