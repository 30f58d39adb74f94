use std::{fmt, marker::PhantomData};

/// Stands for the type that a function returns, so that method resolution can tell what it is, also behind an alias.
///
/// In `(&&&Shape::<R>::new()).judge()`, method resolution tries `&&Shape<R>` as `Self` first, then (dereferenced)
/// `&Shape<R>`, then `Shape<R>`: the first wins whose bounds hold.
pub struct Shape<R>(PhantomData<fn() -> R>);

impl<R> Shape<R> {
    /// The shape of `R`.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "generated code calls it by name")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R> fmt::Debug for Shape<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<R>())
    }
}
