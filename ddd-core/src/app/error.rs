use std::{error::Error, fmt};

use crate::{
    application::{SchedulesError, StartError},
    ports::{BoxError, StoreError, write_chain},
};

/// An application could not be put together, or could not start.
///
/// `{error}` says what could not be done, `{error:#}` and `{error:?}` also why: whatever its [`source`](Error::source) tells.
#[non_exhaustive]
pub enum BuildError {
    /// Something is wrong with its wiring: everything that is, each with its place.
    Wiring(Vec<String>),
    /// It is right, but could not start.
    Start {
        /// What could not be done.
        what: &'static str,
        /// Why.
        source: BoxError,
    },
}

impl BuildError {
    pub(super) fn of_url(error: StoreError) -> Self {
        Self::Start { what: "the store cannot be opened", source: error.into() }
    }

    pub(super) fn of_store(error: StoreError) -> Self {
        Self::Start { what: "the store does not take the settings", source: error.into() }
    }

    pub(super) fn of_start(error: StartError) -> Self {
        Self::Start { what: "the worker could not start", source: error.into() }
    }

    pub(super) fn shut_down() -> Self {
        Self::Start { what: "the worker could not start", source: "the application was shut down meanwhile".into() }
    }

    pub(super) fn of_schedules(error: SchedulesError) -> Self {
        Self::Start { what: "the schedules could not be stored", source: error.into() }
    }

    pub(super) fn of_signal(error: std::io::Error) -> Self {
        Self::Start { what: "the process cannot listen for signals", source: error.into() }
    }

    pub(super) fn of_runtime(error: tokio::runtime::TryCurrentError) -> Self {
        Self::Start {
            what: "there is no tokio runtime here: build the application inside one, such as under `#[tokio::main]`",
            source: error.into(),
        }
    }
}

/// As text, source included: this is what `main` prints when it returns the error.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wiring(problems) => {
                let count = problems.len();
                write!(f, "the application cannot start: {count} {}", if count == 1 { "problem" } else { "problems" })?;
                problems.iter().try_for_each(|it| write!(f, "\n  - {it}"))
            }
            Self::Start { what, source } => {
                f.write_str(what)?;
                if f.alternate() {
                    f.write_str(": ")?;
                    write_chain(f, source.as_ref())?;
                }
                Ok(())
            }
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Wiring(_) => None,
            Self::Start { source, .. } => Some(source.as_ref()),
        }
    }
}
