use std::{
    fmt,
    hash::{Hash, Hasher},
};

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

/// A key in parts: they must hash as the key does, so that a hit need not make one.
///
/// The functions are pointers, not closures: a closure over borrowed parts would keep the compiler from seeing that the
/// caller's future is `Send`.
pub struct Parts<P, K> {
    parts: P,
    is: fn(&P, &K) -> bool,
    own: fn(P) -> K,
}

impl<P, K> Parts<P, K> {
    /// `is` compares the parts with a key, `own` makes a key of them.
    #[must_use]
    pub const fn new(parts: P, is: fn(&P, &K) -> bool, own: fn(P) -> K) -> Self {
        Self { parts, is, own }
    }
}

impl<P: Hash, K> Hash for Parts<P, K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts.hash(state);
    }
}

impl<P: Hash, K: Hash + Eq + Send + Sync + 'static> Lookup for Parts<P, K> {
    type Key = K;

    fn is(&self, key: &K) -> bool {
        (self.is)(&self.parts, key)
    }

    fn into_key(self) -> K {
        (self.own)(self.parts)
    }
}

impl<P: fmt::Debug, K> fmt::Debug for Parts<P, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("parts", &self.parts).finish_non_exhaustive()
    }
}
