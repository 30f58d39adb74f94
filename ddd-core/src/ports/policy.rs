//! A function policy without its types: what the list of them all shows, and can change.

use std::fmt;

use serde_json::{Map, Value};

use crate::domain::{PolicyKind, Site};

/// One policy of one function, as [`policies()`](crate::policies) sees it. Known before the function's first call.
///
/// Settings and figures are JSON objects: durations as texts such as `"10m"`, so that what is shown can be given back. A
/// policy stands in a static, and methods that look at its state need it there.
pub trait Policy: fmt::Debug + Send + Sync {
    /// Which attribute it comes from.
    fn kind(&self) -> PolicyKind;

    /// Its name and place.
    fn site(&self) -> &Site;

    /// What is wrong with the settings of its attribute, each in words. A program with any does not start.
    fn problems(&self) -> Vec<String>;

    /// The settings that the attribute says, filled up with defaults.
    fn annotated(&self) -> Map<String, Value>;

    /// The settings in force.
    fn effective(&'static self) -> Map<String, Value>;

    /// What it has done so far, and how it stands.
    fn figures(&'static self) -> Map<String, Value>;

    /// Changes the named settings, from this moment on; the others stay. All or nothing.
    ///
    /// # Errors
    /// A setting is unknown, has a wrong value, or cannot be changed while the program runs.
    fn change(&'static self, settings: &Map<String, Value>) -> Result<(), PolicyChangeError>;

    /// Whether [`Policy::change`] would take these settings. Nothing is changed.
    ///
    /// # Errors
    /// It would not.
    fn check(&'static self, settings: &Map<String, Value>) -> Result<(), PolicyChangeError>;

    /// The settings of the attribute again, and the figures at zero.
    fn reset(&'static self);

    /// Forgets what it remembers of earlier calls: entries, windows, counts of failures.
    fn clear(&'static self);

    /// Holds a circuit breaker in a state, or lets it go.
    ///
    /// # Errors
    /// It is no circuit breaker.
    fn force(&'static self, _forced: Forced) -> Result<(), PolicyChangeError> {
        Err(PolicyChangeError::not_forced(self.kind()))
    }
}

/// In what state a circuit breaker is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Forced {
    /// It refuses every call.
    Open,
    /// It lets every call through, counts, and does not open.
    Closed,
    /// It lets every call through and does not count.
    Disabled,
    /// It decides by itself again.
    Released,
}

/// Settings that a policy did not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if .setting.is_empty() { String::new() } else { format!("`{}`: ", .setting) })]
#[non_exhaustive]
pub struct PolicyChangeError {
    /// Which setting; empty if it is about all of them.
    pub setting: String,
    /// What is wrong, and what to write instead.
    pub problem: String,
}

impl PolicyChangeError {
    /// About this setting.
    #[must_use]
    pub fn new(setting: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { setting: setting.into(), problem: problem.into() }
    }

    /// Only circuit breakers are held in a state.
    pub(crate) fn not_forced(kind: PolicyKind) -> Self {
        Self::new("", format!("a policy of the kind `{kind}` cannot be forced; only circuit breakers can"))
    }
}
