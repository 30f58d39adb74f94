use super::{StoreError, StoreErrorKind};

/// Which store it is that an application keeps its tasks in: of which kind, and which of those. A connection that takes tasks along
/// compares it with where it leads itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorePlace {
    kind: &'static str,
    name: Option<String>,
}

impl StorePlace {
    /// Some store of this kind, which is [`TaskStore::kind`](super::TaskStore::kind): nobody knows which.
    #[must_use]
    pub const fn of_kind(kind: &'static str) -> Self {
        Self { kind, name: None }
    }

    /// The one of this kind that has this name, such as that of its file.
    pub fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self { kind, name: Some(name.into()) }
    }

    /// Of which kind it is.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// Which of its kind it is, if that is known.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether a connection that leads to `there` may take tasks along for this store.
    ///
    /// # Errors
    /// [`StoreErrorKind::OtherStore`]: they are of different kinds, or both have names, which differ.
    pub fn check(&self, there: &Self) -> Result<(), StoreError> {
        let what = if self.kind != there.kind {
            format!(
                "the application keeps its tasks in a store of the kind `{}`, and this connection leads to `{}`",
                self.kind, there.kind
            )
        } else if self.name.is_some() && there.name.is_some() && self.name != there.name {
            format!("the application keeps its tasks in another store of the kind `{}`", self.kind)
        } else {
            return Ok(());
        };
        Err(StoreError::new(StoreErrorKind::OtherStore, what))
    }
}
