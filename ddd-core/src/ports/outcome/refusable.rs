//! What a refused call returns.

use std::convert::Infallible;

use crate::domain::Refused;

/// What a function whose policies can refuse may return: a `Result` whose error can be made of a [`Refused`].
#[diagnostic::on_unimplemented(
    message = "a function that returns `{Self}` cannot be refused",
    label = "no room for a refusal",
    note = "return `Result<T, E>`, where `E` implements `From<ddd_core::Refused>`; `ddd_core::Refused` itself does",
    note = "only `#[cached]` and `#[retry]` never refuse a call"
)]
pub trait Refusable {
    /// The value of a call that was refused.
    fn refused(refused: Refused) -> Self;
}

impl<T, E: MadeOfRefusal> Refusable for Result<T, E> {
    fn refused(refused: Refused) -> Self {
        Err(E::of_refusal(refused))
    }
}

/// An error that can be made of a [`Refused`].
///
/// Every error that implements `From<Refused>` is one.
#[diagnostic::on_unimplemented(
    message = "a policy of this function can refuse a call, and `{Self}` cannot be made of a refusal",
    label = "does not implement `From<ddd_core::Refused>`",
    note = "an enum of yours with thiserror: add the variant `#[error(transparent)] Refused(#[from] ddd_core::Refused)`",
    note = "only `#[cached]` and `#[retry]` never refuse a call"
)]
pub trait MadeOfRefusal {
    /// The error of a call that was refused.
    fn of_refusal(refused: Refused) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Refused>> MadeOfRefusal for E {
    fn of_refusal(refused: Refused) -> Self {
        refused.into()
    }
}

/// What the function returns.
#[inline]
pub fn refusable<R: Refusable>(outcome: Result<R, Refused>) -> R {
    match outcome {
        Ok(returned) => returned,
        Err(refused) => R::refused(refused),
    }
}

/// What the function returns, if none of its policies can refuse.
#[inline]
pub fn never_refused<R>(outcome: Result<R, Infallible>) -> R {
    match outcome {
        Ok(returned) => returned,
        Err(never) => match never {},
    }
}
