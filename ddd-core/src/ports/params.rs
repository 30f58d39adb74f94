//! The parameters of a task: their keys, and what is wrong with them.

use std::{error::Error, fmt};

/// The keys of one task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Keys {
    /// Under which it is unique among the tasks of its definition.
    pub unique: Option<String>,
    /// Under which it is limited among the tasks of its definition.
    pub concurrency: Option<String>,
}

impl Keys {
    /// Both keys.
    #[must_use]
    pub const fn new(unique: Option<String>, concurrency: Option<String>) -> Self {
        Self { unique, concurrency }
    }
}

/// Parameters that do not fit the function.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidParams {
    /// Where, such as `address.lines[2]`; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl InvalidParams {
    /// Wrong at `path`.
    #[must_use]
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    /// The same, with what is wrong untold if it is in one of these members: an error's text may quote a value.
    #[must_use]
    pub fn hiding(mut self, secrets: &[&str]) -> Self {
        let member = self.path.split(['.', '[']).next().unwrap_or_default();
        if secrets.contains(&member) {
            self.message = "does not fit; its value is secret".to_owned();
        }
        self
    }

    /// The same, found inside of the member `name`.
    #[must_use]
    pub fn within(mut self, name: &str) -> Self {
        let separator = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{name}{separator}{}", self.path);
        self
    }
}

impl fmt::Display for InvalidParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() { f.write_str(&self.message) } else { write!(f, "`{}`: {}", self.path, self.message) }
    }
}

impl Error for InvalidParams {}
