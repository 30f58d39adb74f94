use serde::{Deserialize, Serialize};

/// Who has the state of a policy in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scope {
    /// This process.
    #[default]
    Local,
    /// All processes that use the same store.
    Shared,
}
