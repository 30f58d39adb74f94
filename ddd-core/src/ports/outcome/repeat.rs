//! What a body that runs again is given, and what tells that it should.

/// What each attempt of a retry can have anew.
///
/// Every type that is `Clone` is one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given to a second attempt",
    label = "not `Clone`",
    note = "each attempt of `#[retry]` has its own: derive `Clone`, take it by reference, or in an `Arc`"
)]
pub trait Repeatable {
    /// The same once more.
    #[must_use]
    fn once_more(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Repeatable for T {
    #[inline]
    fn once_more(&self) -> Self {
        self.clone()
    }
}

/// An argument for one attempt.
#[inline]
pub fn again<T: Repeatable>(argument: &T) -> T {
    argument.once_more()
}

/// A type that says by itself whether a call failed: `Result`.
#[diagnostic::on_unimplemented(
    message = "`#[retry]` cannot tell whether `{Self}` is a failure",
    label = "not a `Result`",
    note = "return `Result<T, E>`, or say what is a failure: `#[retry(when = |value| …)]`"
)]
pub trait HasError {}

impl<T, E> HasError for Result<T, E> {}

/// Asks whether `R` says by itself whether a call failed.
pub const fn needs_result<R: HasError>() {}
