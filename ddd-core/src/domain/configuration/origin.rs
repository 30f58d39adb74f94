use std::{fmt, sync::Arc};

/// Which part of the configuration a value comes from; a later one beats an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ConfigurationLayer {
    /// What holds if nobody says anything.
    Default,
    /// `config/default.yaml`.
    DefaultFile,
    /// `config/{profile}.yaml`.
    ProfileFile,
    /// `.env`.
    Dotenv,
    /// A variable of the process's environment.
    Environment,
    /// The program itself.
    Code,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigurationOrigin {
    /// The layer.
    pub layer: ConfigurationLayer,
    /// The file, or the variable; empty for defaults and code.
    pub place: Arc<str>,
    /// The line in that file.
    pub line: Option<usize>,
}

impl ConfigurationOrigin {
    /// From this place.
    #[must_use]
    pub const fn new(layer: ConfigurationLayer, place: Arc<str>, line: Option<usize>) -> Self {
        Self { layer, place, line }
    }

    /// From the program itself.
    #[must_use]
    pub fn code() -> Self {
        Self::new(ConfigurationLayer::Code, "".into(), None)
    }
}

impl fmt::Display for ConfigurationOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.layer, self.line) {
            (ConfigurationLayer::Default, _) => f.write_str("default"),
            (ConfigurationLayer::Code, _) => f.write_str("code"),
            (ConfigurationLayer::Environment, _) => write!(f, "environment {}", self.place),
            (_, Some(line)) => write!(f, "{}:{line}", self.place),
            (_, None) => f.write_str(&self.place),
        }
    }
}
