use crate::{application::ConfigurationError, domain::ConfigurationProblem, ports::StoreError};

/// A configuration that was not taken over. Nothing has changed; only after [`Store`](Self::Store) that is not certain.
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
    /// The store did not take the settings of queues. If it did not answer, it may have taken them, or some; reload again.
    #[error("the store does not take the settings of queues")]
    Store(#[source] StoreError),
    /// Code of the program panicked, such as the `Deserialize` or `Validate` of one of its sections. The panic was reported where panics
    /// are.
    #[error("code of the program panicked when the configuration was read again")]
    Panicked,
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
