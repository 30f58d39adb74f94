use std::{error::Error, fmt};

/// An error of any type.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A store could not do what it was asked for.
#[derive(Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    source: BoxError,
}

/// What sort of trouble a store has: it decides whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// It is away, or did not answer in time. Trying again can help.
    Unavailable,
    /// It has no room: the disk is full, or a quota is reached. Nothing was stored; trying again can help once there is room.
    NoSpace,
    /// What it holds cannot be read.
    Corrupt,
    /// It cannot do this at all.
    Unsupported,
    /// It is set up wrongly, such as a missing table or permission.
    Misconfigured,
    /// A connection was to take tasks along for an application, and leads to another store than that has. Nothing was stored.
    OtherStore,
    /// The user's own transaction is aborted, by an error that was told before: nothing can be done in it any more.
    Aborted,
}

impl StoreError {
    /// An error of the given sort, because of `source`.
    pub fn new(kind: StoreErrorKind, source: impl Into<BoxError>) -> Self {
        Self { kind, source: source.into() }
    }

    /// What sort of trouble it is.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether trying again can help.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Unavailable | StoreErrorKind::NoSpace)
    }
}

/// Writes an error, and whatever it is because of, with `: ` in between.
pub(crate) fn write_chain(f: &mut fmt::Formatter<'_>, error: &(dyn Error + 'static)) -> fmt::Result {
    write!(f, "{error}")?;
    error.source().map_or(Ok(()), |it| write!(f, ": ").and_then(|()| write_chain(f, it)))
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            StoreErrorKind::Unavailable => "the store is unavailable",
            StoreErrorKind::NoSpace => "the store has no room left",
            StoreErrorKind::Corrupt => "the store holds what cannot be read",
            StoreErrorKind::Unsupported => "the store cannot do this",
            StoreErrorKind::Misconfigured => "the store is set up wrongly",
            StoreErrorKind::OtherStore => "the connection leads to another store than the application's",
            StoreErrorKind::Aborted => "the transaction is aborted",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}
