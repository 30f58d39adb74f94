use rusqlite::ErrorCode;

use crate::{
    domain::IllegalTransition,
    ports::{StoreError, StoreErrorKind},
};

/// What went wrong inside the store. The driver's own type stays here.
#[derive(Debug)]
pub(super) struct Trouble(pub(super) StoreError);

pub(super) type Outcome<T> = Result<T, Trouble>;

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<IllegalTransition> for Trouble {
    fn from(error: IllegalTransition) -> Self {
        Self(StoreError::new(StoreErrorKind::Corrupt, error))
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => return too_late(),
            Some(ErrorCode::DiskFull) => StoreErrorKind::NoSpace,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreErrorKind::Corrupt,
            Some(
                ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::CannotOpen
                | ErrorCode::AuthorizationForStatementDenied
                | ErrorCode::Unknown
                | ErrorCode::SchemaChanged,
            ) => StoreErrorKind::Misconfigured,
            // Busy, locked, an input or output error, no memory: what passes.
            Some(_) => StoreErrorKind::Unavailable,
            None => StoreErrorKind::Corrupt,
        };
        Self(StoreError::new(kind, error.to_string()))
    }
}

/// A question took too long, or waited so long for those before it.
pub(super) fn too_late() -> Trouble {
    let problem = "reading took longer than the `read_timeout` of the store and was given up";
    Trouble(StoreError::new(StoreErrorKind::Unavailable, problem))
}

/// What the store holds does not make sense.
pub(super) fn corrupt(what: impl Into<String>) -> Trouble {
    Trouble(StoreError::new(StoreErrorKind::Corrupt, what.into()))
}

/// What happened to `error`, for each of those who wait for the same transaction.
pub(super) fn copy_of(error: &StoreError) -> StoreError {
    let source = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
    StoreError::new(error.kind(), source)
}
