//! The framework's own part of a configuration, as it is written in files.

mod app;
mod policies;
mod queues;
mod tasks;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{
    app::{AppSection, LogSection, StoreSection},
    policies::Policies,
    queues::Queues,
    tasks::TasksSection,
};
use crate::application::Settings;

/// The sections that the framework reads. All others belong to the service.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Sections {
    /// What the service is.
    pub(crate) app: AppSection,
    /// What is logged, and how.
    pub(crate) log: LogSection,
    /// Where tasks are kept.
    pub(crate) store: StoreSection,
    /// How tasks run.
    pub(crate) tasks: TasksSection,
    /// The limits of queues, by name.
    pub(crate) queues: Queues,
    /// What overrides the attributes of function policies.
    pub(crate) policies: Policies,
}

impl Sections {
    /// The names of the sections.
    pub(crate) const NAMES: [&str; 6] = ["app", "log", "store", "tasks", "queues", "policies"];

    /// What is in force where nothing is configured.
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            app: AppSection::default(),
            log: LogSection::defaults(),
            store: StoreSection::defaults(),
            tasks: TasksSection::of(settings),
            queues: Queues::default(),
            policies: Policies::default(),
        }
    }

    /// Writes what is configured over `settings`.
    pub(super) fn apply(&self, settings: &mut Settings) {
        self.tasks.apply(settings);
        self.queues.apply(settings);
        self.policies.apply(settings);
    }
}
