//! What a cache does with the values of a function, as far as their type shows.

use std::{fmt, marker::PhantomData};

use super::shape::Shape;
use crate::{domain::Stored, ports::CacheRules};

/// What a cache can keep.
///
/// Every type that is `Clone + Send + Sync + 'static` is one.
#[diagnostic::on_unimplemented(
    message = "a cache cannot keep `{Self}`",
    label = "not `Clone + Send + Sync`",
    note = "each hit gets a copy: derive `Clone` for a type of yours, or return `Arc<T>`"
)]
pub trait CacheValue: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> CacheValue for T {}

/// For a `Result` whose error can be copied: all who wait for it get one.
pub struct SharedRules<T, E>(PhantomData<fn() -> (T, E)>);

/// For every other `Result`.
pub struct ResultRules<T, E>(PhantomData<fn() -> (T, E)>);

/// For an `Option`.
pub struct OptionRules<T>(PhantomData<fn() -> T>);

/// For all other types.
pub struct AnyRules<R>(PhantomData<fn() -> R>);

/// For a `Result` whose error can be copied.
pub trait RulesOfShared<T, E> {
    /// Its rules.
    fn rules(&self) -> SharedRules<T, E>;
}

impl<T, E: Clone> RulesOfShared<T, E> for &&Shape<Result<T, E>> {
    fn rules(&self) -> SharedRules<T, E> {
        SharedRules(PhantomData)
    }
}

/// For every other `Result`, and for `Option`.
pub trait RulesOfKnown {
    /// Which rules.
    type Rules;

    /// Its rules.
    fn rules(&self) -> Self::Rules;
}

impl<T, E> RulesOfKnown for &Shape<Result<T, E>> {
    type Rules = ResultRules<T, E>;

    fn rules(&self) -> ResultRules<T, E> {
        ResultRules(PhantomData)
    }
}

impl<T> RulesOfKnown for &Shape<Option<T>> {
    type Rules = OptionRules<T>;

    fn rules(&self) -> OptionRules<T> {
        OptionRules(PhantomData)
    }
}

/// For all other types.
pub trait RulesOfAny<R> {
    /// Its rules.
    fn rules(&self) -> AnyRules<R>;
}

impl<R> RulesOfAny<R> for Shape<R> {
    fn rules(&self) -> AnyRules<R> {
        AnyRules(PhantomData)
    }
}

impl<T: CacheValue, E: Clone> CacheRules<Result<T, E>> for SharedRules<T, E> {
    #[inline]
    fn is_stored(&self, value: &Result<T, E>) -> Stored {
        if value.is_ok() { Stored::Positive } else { Stored::Error }
    }

    #[inline]
    fn share(&self, value: &Result<T, E>) -> Option<Result<T, E>> {
        Some(value.clone())
    }
}

impl<T: CacheValue, E> CacheRules<Result<T, E>> for ResultRules<T, E> {
    #[inline]
    fn is_stored(&self, value: &Result<T, E>) -> Stored {
        // An error that cannot be copied cannot be given to anybody else later.
        if value.is_ok() { Stored::Positive } else { Stored::Error }
    }

    #[inline]
    fn share(&self, value: &Result<T, E>) -> Option<Result<T, E>> {
        value.as_ref().ok().map(|it| Ok(it.clone()))
    }
}

impl<T: CacheValue> CacheRules<Option<T>> for OptionRules<T> {
    #[inline]
    fn is_stored(&self, value: &Option<T>) -> Stored {
        if value.is_some() { Stored::Positive } else { Stored::Negative }
    }

    #[inline]
    fn share(&self, value: &Option<T>) -> Option<Option<T>> {
        Some(value.clone())
    }
}

impl<R: CacheValue> CacheRules<R> for AnyRules<R> {
    #[inline]
    fn is_stored(&self, _value: &R) -> Stored {
        Stored::Positive
    }

    #[inline]
    fn share(&self, value: &R) -> Option<R> {
        Some(value.clone())
    }
}

/// Rules that store only what the user says.
pub struct StoreIf<C, F> {
    rules: C,
    when: F,
}

impl<R, C: CacheRules<R>, F: Fn(&R) -> bool> CacheRules<R> for StoreIf<C, F> {
    fn is_stored(&self, value: &R) -> Stored {
        if (self.when)(value) { self.rules.is_stored(value) } else { Stored::No }
    }

    #[inline]
    fn share(&self, value: &R) -> Option<R> {
        self.rules.share(value)
    }

    fn weight(&self, value: &R) -> u32 {
        self.rules.weight(value)
    }
}

/// Rules under which values weigh what the user says.
pub struct Weigh<C, F> {
    rules: C,
    weigh: F,
}

impl<R, C: CacheRules<R>, F: Fn(&R) -> u32> CacheRules<R> for Weigh<C, F> {
    fn is_stored(&self, value: &R) -> Stored {
        self.rules.is_stored(value)
    }

    #[inline]
    fn share(&self, value: &R) -> Option<R> {
        self.rules.share(value)
    }

    fn weight(&self, value: &R) -> u32 {
        (self.weigh)(value)
    }
}

macro_rules! adapters {
    ($([$($param:ident),*] [$($bounds:tt)*] $rules:ty as $value:ty, $name:ident;)*) => {
        $(
            impl<$($bounds)*> $rules {
                /// Themselves, if values can be kept. A method, so that the compiler complains of this and not of what follows.
                #[inline]
                #[must_use]
                pub const fn kept(self) -> Self {
                    self
                }
            }

            impl<$($param),*> $rules {
                /// The same, storing only values of which `when` holds.
                pub const fn store_if<W: Fn(&$value) -> bool>(self, when: W) -> StoreIf<Self, W> {
                    StoreIf { rules: self, when }
                }

                /// The same, with values that weigh what `weigh` says.
                pub const fn weigh<W: Fn(&$value) -> u32>(self, weigh: W) -> Weigh<Self, W> {
                    Weigh { rules: self, weigh }
                }
            }

            impl<$($param),*> fmt::Debug for $rules {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(stringify!($name))
                }
            }
        )*
    };
}
adapters! {
    [T, E] [T: CacheValue, E: Clone] SharedRules<T, E> as Result<T, E>, SharedRules;
    [T, E] [T: CacheValue, E] ResultRules<T, E> as Result<T, E>, ResultRules;
    [T] [T: CacheValue] OptionRules<T> as Option<T>, OptionRules;
    [R] [R: CacheValue] AnyRules<R> as R, AnyRules;
}

impl<C, F> StoreIf<C, F> {
    /// The same, with values that weigh what `weigh` says.
    pub const fn weigh<R, W: Fn(&R) -> u32>(self, weigh: W) -> Weigh<Self, W>
    where
        C: CacheRules<R>,
    {
        Weigh { rules: self, weigh }
    }
}

impl<C: fmt::Debug, F> fmt::Debug for StoreIf<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreIf").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl<C: fmt::Debug, F> fmt::Debug for Weigh<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weigh").field("rules", &self.rules).finish_non_exhaustive()
    }
}
