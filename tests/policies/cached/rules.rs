//! The rules that generated code would find for these types.

use ddd_core::__private::policies::{CacheRules, HandleRules, Of, Stored};

/// For plain values.
#[derive(Clone, Copy)]
pub(super) struct Plain;

impl<R: Clone> CacheRules<R> for Plain {
    fn is_stored(&self, _value: &R) -> Stored {
        Stored::Positive
    }

    fn share(&self, value: &R) -> Option<R> {
        Some(value.clone())
    }
}

/// For results whose error is `Clone`.
#[derive(Clone, Copy)]
pub(super) struct Shared;

impl<T: Clone, E: Clone> CacheRules<Result<T, E>> for Shared {
    fn is_stored(&self, value: &Result<T, E>) -> Stored {
        if value.is_ok() { Stored::Positive } else { Stored::Error }
    }

    fn share(&self, value: &Result<T, E>) -> Option<Result<T, E>> {
        Some(value.clone())
    }
}

/// For results whose error is not.
#[derive(Clone, Copy)]
pub(super) struct Unshared;

impl<T: Clone, E> CacheRules<Result<T, E>> for Unshared {
    fn is_stored(&self, value: &Result<T, E>) -> Stored {
        if value.is_ok() { Stored::Positive } else { Stored::Error }
    }

    fn share(&self, value: &Result<T, E>) -> Option<Result<T, E>> {
        value.as_ref().ok().map(|it| Ok(it.clone()))
    }
}

/// For options.
#[derive(Clone, Copy)]
pub(super) struct Optional;

impl<T: Clone> CacheRules<Option<T>> for Optional {
    fn is_stored(&self, value: &Option<T>) -> Stored {
        if value.is_some() { Stored::Positive } else { Stored::Negative }
    }

    fn share(&self, value: &Option<T>) -> Option<Option<T>> {
        Some(value.clone())
    }
}

/// What the handle of a function with plain values holds.
pub(super) const fn plain<R: Clone>() -> HandleRules<R> {
    HandleRules::new(|_| Stored::Positive, |it| Some(it.clone()))
}

/// An error that cannot be copied.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Precious(pub(super) u64);

/// The key under which a handle of a free function finds it.
pub(crate) const fn free<K>(key: K) -> Of<(), K> {
    Of::of(key)
}
