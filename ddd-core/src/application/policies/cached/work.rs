use std::future::Future;

use crate::domain::Tag;

/// A fill that has not begun: the future that makes the value, and the tags of the entry.
#[derive(Debug)]
pub struct Fill<F> {
    future: F,
    tags: Vec<Tag>,
}

impl<F: Future> Fill<F> {
    /// Without tags.
    #[must_use]
    pub const fn new(future: F) -> Self {
        Self { future, tags: Vec::new() }
    }

    pub(super) fn parts(self) -> (Vec<Tag>, F) {
        (self.tags, self.future)
    }

    /// With these tags.
    #[must_use]
    pub fn tagged<T: Into<Tag>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }
}

/// A fill, or a bare future that becomes one.
pub trait IntoFill {
    /// What makes the value.
    type Future: Future;

    /// The fill.
    fn into_fill(self) -> Fill<Self::Future>;
}

impl<F: Future> IntoFill for F {
    type Future = F;

    fn into_fill(self) -> Fill<F> {
        Fill::new(self)
    }
}

impl<F: Future> IntoFill for Fill<F> {
    type Future = F;

    fn into_fill(self) -> Self {
        self
    }
}
