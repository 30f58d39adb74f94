//! The names that the original's settings had, each with what it is called here.

use crate::domain::{Node, NodeValue};

/// A setting of the original: its variables, its paths in YAML, its path here, and what its value means here.
pub(crate) struct Alias {
    pub(crate) variables: &'static [&'static str],
    pub(crate) paths: &'static [&'static [&'static str]],
    pub(crate) setting: &'static [&'static str],
    meaning: Meaning,
}

/// What a value of the original means here.
#[derive(Clone, Copy)]
enum Meaning {
    Same,
    /// It counted retries; here the first run counts.
    OneMore,
    /// It counted hours.
    Hours,
}

impl Alias {
    /// The value as it is written here. One that is not what it should be is left, and told of when it is read.
    pub(crate) fn convert(&self, mut node: Node) -> Node {
        let number = match &node.value {
            NodeValue::Integer(it) => Some(*it),
            NodeValue::Untyped(it) => it.trim().parse().ok(),
            _ => None,
        };
        match (self.meaning, number) {
            (Meaning::OneMore, Some(it)) => node.value = NodeValue::Integer(it.saturating_add(1)),
            (Meaning::Hours, Some(it)) => node.value = NodeValue::Text(format!("{it}h")),
            _ => {}
        }
        node
    }

    const fn meaning(mut self, meaning: Meaning) -> Self {
        self.meaning = meaning;
        self
    }
}

const fn alias(
    variables: &'static [&'static str],
    paths: &'static [&'static [&'static str]],
    setting: &'static [&'static str],
) -> Alias {
    Alias { variables, paths, setting, meaning: Meaning::Same }
}

/// Where the original kept the settings of tasks.
macro_rules! of_tasks {
    ($name:literal) => {
        &[&["infrastructure", "tasks", $name]]
    };
}

/// Where the original kept other settings of what a service stands on.
macro_rules! of_infrastructure {
    ($group:literal, $name:literal) => {
        &[&["infrastructure", $group, $name]]
    };
}

/// All of them that mean something here.
pub(crate) const ALIASES: &[Alias] = &[
    alias(&["APP_NAME"], &[&["framework", "name"]], &["app", "name"]),
    alias(&["APP_VERSION"], &[&["framework", "version"]], &["app", "version"]),
    alias(&["ENVIRONMENT"], &[&["framework", "environment"]], &["app", "environment"]),
    alias(&["DEBUG"], &[&["framework", "debug"]], &["app", "debug"]),
    alias(&["LOG_LEVEL"], &[&["logging", "level"]], &["log", "level"]),
    alias(&["LOG_FORMAT"], &[&["logging", "format"]], &["log", "format"]),
    alias(&["TASK_MAX_WORKERS"], of_tasks!("max_workers"), &["tasks", "max_workers"]),
    alias(&["TASK_RETRY_ATTEMPTS"], of_tasks!("retry_attempts"), &["tasks", "retry", "max_attempts"])
        .meaning(Meaning::OneMore),
    alias(&["TASK_MAX_HISTORY_HOURS"], of_tasks!("max_history_hours"), &["tasks", "history_ttl"])
        .meaning(Meaning::Hours),
    alias(&["TASK_RETRY_DELAY"], of_tasks!("retry_delay"), &["tasks", "retry", "delay"]),
    alias(&["TASK_RESULT_CACHE_SIZE"], of_tasks!("result_cache_size"), &["tasks", "results_max"]),
    alias(&["TASK_RESULT_CACHE_TTL"], of_tasks!("result_cache_ttl"), &["tasks", "result_ttl"]),
    alias(&["TASK_SCHEDULER_INTERVAL"], of_tasks!("scheduler_interval"), &["tasks", "poll_interval"]),
    alias(&["CACHE_DEFAULT_TTL"], of_infrastructure!("cache", "default_ttl"), &["policy_defaults", "cached", "ttl"]),
    alias(&["CACHE_MAX_SIZE"], of_infrastructure!("cache", "max_size"), &["policy_defaults", "cached", "capacity"]),
    alias(
        &["RATE_LIMIT_REQUESTS_PER_MINUTE"],
        of_infrastructure!("rate_limiting", "requests_per_minute"),
        &["policy_defaults", "rate_limited", "limit"],
    ),
    alias(
        &["RATE_LIMIT_BURST_SIZE"],
        of_infrastructure!("rate_limiting", "burst_size"),
        &["policy_defaults", "rate_limited", "burst"],
    ),
];

/// The setting that a variable of the original is here.
pub(crate) fn of_variable(name: &str) -> Option<&'static Alias> {
    ALIASES.iter().find(|it| it.variables.contains(&name))
}

/// Gives the settings of a tree their names here. A setting that is written under both keeps its name here.
pub(crate) fn rename(tree: &mut Node) {
    for alias in ALIASES {
        for path in alias.paths {
            let Some(node) = tree.take(path) else { continue };
            if tree.at(alias.setting.iter().copied()).is_none() {
                tree.put(alias.setting.iter().copied(), alias.convert(node));
            }
            tree.drop_empty(path);
        }
    }
}
