use std::{fmt, hash::Hash, marker::PhantomData};

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
pub struct Parts<P, K, I, O> {
    parts: P,
    is: I,
    own: O,
    key: PhantomData<fn() -> K>,
}

impl<P, K, I, O> Parts<P, K, I, O>
where
    P: Hash,
    K: Hash + Eq + Send + Sync + 'static,
    I: Fn(&P, &K) -> bool,
    O: FnOnce(P) -> K,
{
    /// `is` compares the parts with a key, `own` makes a key of them.
    #[must_use]
    pub const fn new(parts: P, is: I, own: O) -> Self {
        Self { parts, is, own, key: PhantomData }
    }
}

impl<P: Hash, K, I, O> Hash for Parts<P, K, I, O> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.parts.hash(state);
    }
}

impl<P, K, I, O> Lookup for Parts<P, K, I, O>
where
    P: Hash,
    K: Hash + Eq + Send + Sync + 'static,
    I: Fn(&P, &K) -> bool,
    O: FnOnce(P) -> K,
{
    type Key = K;

    fn is(&self, key: &K) -> bool {
        (self.is)(&self.parts, key)
    }

    fn into_key(self) -> K {
        (self.own)(self.parts)
    }
}

impl<P: fmt::Debug, K, I, O> fmt::Debug for Parts<P, K, I, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("parts", &self.parts).finish_non_exhaustive()
    }
}
