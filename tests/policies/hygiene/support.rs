use std::fmt;

use ddd_core::Refused;

/// An error that a refusal can become.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Error {
    Refused(Refused),
    Other(&'static str),
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<&'static str> for Error {
    fn from(text: &'static str) -> Self {
        Self::Other(text)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Error {}

/// Asks that a future can be sent to another thread.
pub(super) fn is_send<F: Future + Send>(future: F) -> F {
    future
}
