//! What a reload of the configuration needs to know.

use std::fmt;

use parking_lot::Mutex;

use super::{edit::Edit, reload_hooks::ReloadHook};
use crate::{
    application::{Configuration, Settings},
    ports::Definition,
};

/// What changed when a configuration was read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// The settings that have another value now, by name. What code says beats them, as before.
    pub changed: Vec<ChangedSetting>,
}

/// A setting that has another value now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChangedSetting {
    /// Its name, the parts joined by dots.
    pub key: String,
    /// What it was, as text; `***` if it is a secret, empty if it was not set.
    pub before: String,
    /// What it is now, likewise.
    pub after: String,
    /// Where that comes from.
    pub origin: String,
}

/// What a reload needs to know, and works on.
pub(super) struct Reloads {
    /// One at a time.
    pub(super) turn: tokio::sync::Mutex<()>,
    pub(super) in_force: Mutex<InForce>,
    /// What code says over every configuration.
    pub(super) edits: Vec<Edit>,
    pub(super) definitions: Vec<&'static Definition>,
    pub(super) hooks: Vec<ReloadHook>,
    pub(super) submit_only: bool,
    /// Whether the store is one that code gave.
    pub(super) has_own_store: bool,
}

/// What is in force.
#[derive(Clone)]
pub(super) struct InForce {
    pub(super) settings: Settings,
    pub(super) configuration: Option<Configuration>,
}

impl fmt::Debug for Reloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reloads").field("hooks", &self.hooks.len()).finish_non_exhaustive()
    }
}
