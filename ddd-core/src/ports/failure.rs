//! How a body says more than "failed".

use std::{borrow::Cow, error::Error, fmt, time::Duration};

use super::{BoxError, InvalidParams};
use crate::domain::{FailureKind, Limits, truncated};

/// An error by which a task's body decides what follows.
///
/// It works through any wrapping: return it as it is, as a variant of your own error type, or inside a boxed or `anyhow`
/// error. The chain of [`Error::source`] is searched for it.
///
/// ```
/// use ddd_core::TaskError;
///
/// #[derive(Debug, thiserror::Error)]
/// enum ImportError {
///     #[error("cannot read the file")]
///     Read(#[from] std::io::Error),
///     #[error(transparent)]
///     Task(#[from] TaskError),
/// }
///
/// fn check(line: &str) -> Result<(), ImportError> {
///     if line.is_empty() {
///         return Err(TaskError::permanent("the file is empty").into()); // no retry can help
///     }
///     Ok(())
/// }
/// # assert!(check("").is_err());
/// ```
#[derive(Debug)]
pub struct TaskError(Outcome);

/// What the body decided: private, and what is looked for in a chain of errors. [`TaskError`] yields it as its source, so
/// that `#[error(transparent)]`, which skips the wrapped error itself, does not hide it.
#[derive(Debug)]
struct Outcome {
    verdict: FailureOutcome,
    message: Cow<'static, str>,
    source: Option<BoxError>,
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FailureOutcome {
    /// Another attempt as the task's settings say.
    #[default]
    Retry,
    /// Another attempt after exactly this long, if one is left.
    RetryAfter(Duration),
    /// No further attempt.
    Permanent,
    /// Run again after this long, as if this attempt had not been.
    Snooze(Duration),
    /// End as cancelled.
    Cancel,
}

impl TaskError {
    fn new(verdict: FailureOutcome, message: Cow<'static, str>, source: Option<BoxError>) -> Self {
        Self(Outcome { verdict, message, source })
    }

    /// The task has failed for good: no further attempt.
    pub fn permanent(error: impl Into<BoxError>) -> Self {
        Self::new(FailureOutcome::Permanent, Cow::Borrowed("permanent failure"), Some(error.into()))
    }

    /// Try again after exactly `delay`, if an attempt is left.
    #[must_use]
    pub fn retry_after(delay: Duration) -> Self {
        Self::new(FailureOutcome::RetryAfter(delay), Cow::Owned(format!("to be tried again after {delay:?}")), None)
    }

    /// Not now: run again after `delay`. This attempt does not count.
    #[must_use]
    pub fn snooze(delay: Duration) -> Self {
        Self::new(FailureOutcome::Snooze(delay), Cow::Owned(format!("snoozed for {delay:?}")), None)
    }

    /// End the task as cancelled.
    pub fn cancel(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(FailureOutcome::Cancel, reason.into(), None)
    }

    /// With `error` as the cause to show.
    #[must_use]
    pub fn because(mut self, error: impl Into<BoxError>) -> Self {
        self.0.source = Some(error.into());
        self
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for TaskError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Outcome {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|it| it.as_ref() as _)
    }
}

/// A failed attempt, as the worker sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What sort of failure.
    pub kind: FailureKind,
    /// The error and its sources in words.
    pub message: String,
    /// What follows.
    pub outcome: FailureOutcome,
}

impl Failure {
    /// A failure of the given sort; retried as the settings say.
    #[must_use]
    pub const fn new(kind: FailureKind, message: String) -> Self {
        Self { kind, message, outcome: FailureOutcome::Retry }
    }

    /// One that no further attempt can mend.
    #[must_use]
    pub const fn permanent(kind: FailureKind, message: String) -> Self {
        Self { kind, message, outcome: FailureOutcome::Permanent }
    }

    /// The failure that a returned error is: its text, and the decision that its chain of sources holds, if any.
    #[must_use]
    pub fn of_error(error: &(dyn Error + 'static)) -> Self {
        let mut message = error.to_string();
        let mut outcome = FailureOutcome::Retry;
        let mut next = Some(error);
        while let Some(link) = next {
            if let Some(decided) = link.downcast_ref::<Outcome>() {
                outcome = decided.verdict;
            }
            let text = link.to_string();
            // Wrappers that are transparent, or show their source, repeat its text: once is enough.
            if !message.contains(&text) && message.len() <= Limits::default().error {
                message.push_str(": ");
                message.push_str(&text);
            }
            next = link.source();
        }
        Self { kind: FailureKind::Error, message, outcome }
    }

    /// The failure that a panic is.
    #[must_use]
    pub fn of_panic(payload: &(dyn std::any::Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&'static str>()
            .map(|it| (*it).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a value that is no text".to_owned());
        Self::new(FailureKind::Panic, format!("panicked: {message}"))
    }

    /// With its message cut to `limit` bytes.
    #[must_use]
    pub fn truncated(mut self, limit: usize) -> Self {
        self.message = truncated(self.message, limit);
        self
    }
}

/// Stored parameters that do not fit: no further attempt can mend them.
impl From<InvalidParams> for Failure {
    fn from(error: InvalidParams) -> Self {
        Self::permanent(FailureKind::Undecodable, format!("the parameters do not fit: {error}"))
    }
}
