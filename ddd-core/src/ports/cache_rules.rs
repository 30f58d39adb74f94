//! What a cache has to know of the function that it stands on.

use std::convert::Infallible;

use crate::domain::{Refused, Stored};

/// What a cache does with the values of a function that returns `R`.
pub trait CacheRules<R> {
    /// Whether this one is stored, and as what.
    fn is_stored(&self, value: &R) -> Stored;

    /// A copy for another caller; `None` if there can be none, because the error in it is not `Clone`.
    fn share(&self, value: &R) -> Option<R>;

    /// What it weighs, in the unit of the cache's capacity. Default: 1, so that values are counted.
    fn weight(&self, _value: &R) -> u32 {
        1
    }
}

/// What the policies inside of a cache may answer in place of a value: [`Refused`], or [`Infallible`] if none can refuse.
pub trait Refusal: Sized + Send + 'static {
    /// The refusal, for the others who wait for the same value.
    fn to_refused(&self) -> Refused;

    /// The refusal that one of the others met; `None` if there can be none.
    fn from_refused(refused: Refused) -> Option<Self>;
}

impl Refusal for Refused {
    fn to_refused(&self) -> Refused {
        self.clone()
    }

    fn from_refused(refused: Refused) -> Option<Self> {
        Some(refused)
    }
}

impl Refusal for Infallible {
    fn to_refused(&self) -> Refused {
        match *self {}
    }

    fn from_refused(_refused: Refused) -> Option<Self> {
        None
    }
}
