use std::fmt;

use super::ConfigurationOrigin;

/// Something that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigurationProblem {
    /// Where it stands, if it stands anywhere.
    pub origin: Option<ConfigurationOrigin>,
    /// Which setting, its parts joined by dots; empty if it is about a whole source.
    pub key: String,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl ConfigurationProblem {
    /// This problem of this setting.
    #[must_use]
    pub fn new(origin: Option<ConfigurationOrigin>, key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { origin, key: key.into(), message: message.into() }
    }
}

impl fmt::Display for ConfigurationProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "`{}`: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}
