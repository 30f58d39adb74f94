use sqlx::error::DatabaseError;

use crate::{
    domain::IllegalTransition,
    ports::{StoreError, StoreErrorKind},
};

/// What went wrong inside the store. The driver's own type stays here.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) error: StoreError,
    pub(super) remedy: Remedy,
}

/// What the store itself can do about trouble, before it tells anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// Nothing.
    Tell,
    /// Two transactions stood in each other's way: the same again.
    Again,
    /// The connection is of no use any more: the same again on another one.
    Reconnect,
}

pub(super) type Outcome<T> = Result<T, Trouble>;

impl Trouble {
    /// A task went from one place to another while it was looked for.
    pub(super) fn moved() -> Self {
        Self::unavailable("a task changes again and again", Remedy::Again)
    }

    pub(super) fn unavailable(what: impl Into<crate::ports::BoxError>, remedy: Remedy) -> Self {
        Self { error: StoreError::new(StoreErrorKind::Unavailable, what), remedy }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self { error, remedy: Remedy::Tell }
    }
}

impl From<IllegalTransition> for Trouble {
    fn from(error: IllegalTransition) -> Self {
        StoreError::new(StoreErrorKind::Corrupt, error).into()
    }
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        let (kind, remedy) = match &error {
            sqlx::Error::Database(error) => sort(&**error),
            sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
                (StoreErrorKind::Unavailable, Remedy::Reconnect)
            }
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => (StoreErrorKind::Unavailable, Remedy::Tell),
            sqlx::Error::Configuration(_) | sqlx::Error::InvalidArgument(_) | sqlx::Error::Tls(_) => {
                (StoreErrorKind::Misconfigured, Remedy::Tell)
            }
            _ => (StoreErrorKind::Corrupt, Remedy::Tell),
        };
        let text = match &error {
            sqlx::Error::Database(it) if it.code().as_deref() == Some("42P01") => {
                format!("{it}: run the migrations of the store first (`PostgresStore::migrate`)")
            }
            _ => error.to_string(),
        };
        Self { error: StoreError::new(kind, text), remedy }
    }
}

/// By the code of the standard: two characters for the class, three for the case.
fn sort(error: &dyn DatabaseError) -> (StoreErrorKind, Remedy) {
    let code = error.code().unwrap_or_default();
    match &*code {
        "40001" | "40P01" => (StoreErrorKind::Unavailable, Remedy::Again),
        // Shut down, crashed, starting; a standby that took over or gave up; a transaction that somebody else left open.
        "57P01" | "57P02" | "57P03" | "57P05" | "25006" | "25P01" | "25P02" | "25P03" => {
            (StoreErrorKind::Unavailable, Remedy::Reconnect)
        }
        // A time-out of a statement or of a lock.
        "57014" | "55P03" => (StoreErrorKind::Unavailable, Remedy::Tell),
        "53100" => (StoreErrorKind::NoSpace, Remedy::Tell),
        _ if code.starts_with("08") => (StoreErrorKind::Unavailable, Remedy::Reconnect),
        _ if code.starts_with("53") || code.starts_with("58") => (StoreErrorKind::Unavailable, Remedy::Tell),
        _ if ["42", "3D", "3F", "0A"].iter().any(|it| code.starts_with(it)) => {
            (StoreErrorKind::Misconfigured, Remedy::Tell)
        }
        // What is said is wrong, not the server: data, constraints, limits of the language; and broken pages.
        "XX001" | "XX002" => (StoreErrorKind::Corrupt, Remedy::Tell),
        _ if ["22", "23", "54"].iter().any(|it| code.starts_with(it)) => (StoreErrorKind::Corrupt, Remedy::Tell),
        // Above all class 28: a password that is being changed. Nothing that was done is given up for what may pass.
        _ => (StoreErrorKind::Unavailable, Remedy::Tell),
    }
}

/// What the store holds does not make sense.
pub(super) fn corrupt(what: impl Into<String>) -> Trouble {
    StoreError::new(StoreErrorKind::Corrupt, what.into()).into()
}
