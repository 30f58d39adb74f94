//! The framework's own part of a configuration, as it is written in files.

mod app;
mod policies;
mod policy_defaults;
mod queues;
mod tasks;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{
    app::{AppSection, LogSection, StoreSection},
    policies::Policies,
    policy_defaults::PolicyDefaultsSection,
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
    /// What holds for function policies whose attributes do not say it.
    pub(crate) policy_defaults: PolicyDefaultsSection,
}

impl Sections {
    /// The names of the sections.
    pub(crate) const NAMES: [&str; 7] = ["app", "log", "store", "tasks", "queues", "policies", "policy_defaults"];

    /// What is in force where nothing is configured.
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            app: AppSection::default(),
            log: LogSection::default(),
            store: StoreSection::defaults(),
            tasks: TasksSection::of(settings),
            queues: Queues::default(),
            policies: Policies::default(),
            policy_defaults: PolicyDefaultsSection::default(),
        }
    }

    /// Writes what is configured over `settings`.
    pub(super) fn apply(&self, settings: &mut Settings) {
        self.tasks.apply(settings);
        self.queues.apply(settings);
        self.policies.apply(settings);
        self.policy_defaults.apply(settings);
    }
}
