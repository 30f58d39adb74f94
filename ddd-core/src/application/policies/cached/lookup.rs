use std::{
    borrow::Borrow,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
};

use crate::ports::Of;

/// What an entry is looked up by: its key, or parts borrowed from the caller that a key is made of only if need be.
pub trait Lookup: Hash {
    /// The type of the key.
    type Key: Hash + Eq + Send + Sync + 'static;

    /// Whether `key` is meant.
    fn is(&self, key: &Self::Key) -> bool;

    /// The key itself.
    fn into_key(self) -> Self::Key;
}

impl<K: Hash + Eq + Send + Sync + 'static> Lookup for K {
    type Key = K;

    fn is(&self, key: &K) -> bool {
        self == key
    }

    fn into_key(self) -> K {
        self
    }
}

/// The arguments of a call as the parts of a key: what is borrowed is copied only if a key must be kept.
///
/// They hash as the key does. Traits say so, not closures: the compiler cannot tell of a future that holds closures over what
/// is borrowed whether it is `Send`.
pub struct Parts<I: ?Sized, P> {
    parts: P,
    instance: PhantomData<fn() -> PhantomData<I>>,
}

impl<I, P> Parts<I, P> {
    /// The parts of a key of the instance that `_instance` stands in: see [`Of`].
    #[inline]
    pub const fn new(_instance: &I, parts: P) -> Self {
        Self::of(parts)
    }
}

impl<I: ?Sized, P> Parts<I, P> {
    /// The same where the instance has a type with a name.
    #[inline]
    pub const fn of(parts: P) -> Self {
        Self { parts, instance: PhantomData }
    }
}

impl<I: ?Sized, P: Hash> Hash for Parts<I, P> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts.hash(state);
    }
}

impl<I: ?Sized + 'static, P: Part> Lookup for Parts<I, P> {
    type Key = Of<I, P::Kept>;

    #[inline]
    fn is(&self, key: &Self::Key) -> bool {
        self.parts.is(key.key())
    }

    fn into_key(self) -> Self::Key {
        Of::of(self.parts.keep())
    }
}

impl<I: ?Sized, P: fmt::Debug> fmt::Debug for Parts<I, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.fmt(f)
    }
}

/// One part of a key, or several as a tuple.
pub trait Part: Hash {
    /// What stands for it in a key.
    type Kept: Hash + Eq + Send + Sync + 'static;

    /// Whether it is the one in a key.
    fn is(&self, kept: &Self::Kept) -> bool;

    /// What stands for it.
    fn keep(self) -> Self::Kept;
}

/// A borrowed argument.
#[derive(Debug, Hash)]
#[allow(clippy::exhaustive_structs, reason = "generated code makes it")]
pub struct Lent<'a, T: ?Sized>(pub &'a T);

impl<T> Part for Lent<'_, T>
where
    T: ToOwned<Owned: Hash + Eq + Send + Sync + 'static> + Hash + Eq + ?Sized,
{
    type Kept = T::Owned;

    #[inline]
    fn is(&self, kept: &T::Owned) -> bool {
        self.0 == kept.borrow()
    }

    fn keep(self) -> T::Owned {
        self.0.to_owned()
    }
}

/// An argument of the function's own.
#[derive(Debug, Hash)]
#[allow(clippy::exhaustive_structs, reason = "generated code makes it")]
pub struct Own<T>(pub T);

impl<T: Hash + Eq + Send + Sync + 'static> Part for Own<T> {
    type Kept = T;

    #[inline]
    fn is(&self, kept: &T) -> bool {
        self.0 == *kept
    }

    fn keep(self) -> T {
        self.0
    }
}

macro_rules! tuples_of_parts {
    ($(($($part:ident $index:tt),*);)*) => {
        $(
            impl<$($part: Part),*> Part for ($($part,)*) {
                type Kept = ($($part::Kept,)*);

                #[inline]
                fn is(&self, kept: &Self::Kept) -> bool {
                    $(self.$index.is(&kept.$index))&&*
                }

                fn keep(self) -> Self::Kept {
                    ($(self.$index.keep(),)*)
                }
            }
        )*
    };
}
// As many as can be compared as a tuple.
tuples_of_parts! {
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);
}
