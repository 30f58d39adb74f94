use crate::{application::ConfigurationError, domain::ConfigurationProblem, ports::StoreError};

/// A configuration that was not taken over. Nothing has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// It does not hold, or a setting changed that cannot while the program runs: everything that is wrong, each with its place.
    #[error(transparent)]
    Refused(#[from] ConfigurationError),
    /// The application was not built from a configuration, so there is nothing to read again.
    #[error(
        "the application was built without a configuration; write `.configuration(…)` on its builder, or use `App::reload_with`"
    )]
    WithoutConfiguration,
    /// The store did not take the settings of queues. If it did not answer, it may take them yet; reload again.
    #[error("the store does not take the settings")]
    Store(#[source] StoreError),
    /// The runtime ended meanwhile.
    #[error("the program is ending")]
    Ending,
}

impl ReloadError {
    /// Everything that is wrong with the configuration, each with its place; nothing if it is something else.
    #[must_use]
    pub fn problems(&self) -> &[ConfigurationProblem] {
        match self {
            Self::Refused(error) => &error.problems,
            _ => &[],
        }
    }
}
