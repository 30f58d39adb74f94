//! Settings of the original that mean nothing here, each with the reason. They are no mistake: its files load as they are.

use super::service::Declared;
use crate::domain::{ConfigurationProblem, Node};

/// A setting of the original's files, or a group of them, and why it is gone.
pub(crate) struct Gone {
    pub(crate) path: &'static [&'static str],
    pub(crate) reason: &'static str,
}

const fn gone(path: &'static [&'static str], reason: &'static str) -> Gone {
    Gone { path, reason }
}

const TASKS: &str = "infrastructure";

/// All of them, those of a group before the group.
pub(crate) const GONE: &[Gone] = &[
    gone(&["framework", "description"], "a service is described by its README and its OpenAPI document"),
    gone(&["logging", "sql"], "write `log.level: info,sqlx=debug`, which works for every crate"),
    gone(&["logging", "handlers"], "logs go to one place; what runs the service writes files and rotates them"),
    gone(&["logging", "file"], "logs go to one place; what runs the service writes files and rotates them"),
    gone(&["server", "reload"], "a Rust program is built anew; `cargo watch` does that"),
    gone(&["server", "workers"], "one process uses all cores; how many bodies run is `tasks.max_workers`"),
    gone(&["server", "debug"], "it is `app.debug`"),
    gone(&["api", "title"], "it is `app.name`"),
    gone(&["api", "version"], "it is `app.version`"),
    gone(&["api", "docs_url"], "the pages are part of the router that the program builds"),
    gone(&["api", "redoc_url"], "the pages are part of the router that the program builds"),
    gone(
        &["cors"],
        "other origins are let in by a layer of the program's own router, such as tower-http's `CorsLayer`",
    ),
    gone(&["security"], "who may do what is said to `Access` in code; keys are read from the service's own section"),
    gone(&[TASKS, "cache", "key_prefix"], "keys are values of Rust types, and each cache has a name"),
    gone(&[TASKS, "tasks", "enable_s3_storage"], "results are kept by the store of the tasks"),
    gone(&[TASKS, "tasks", "s3_persist_threshold_kb"], "results are kept by the store of the tasks"),
    gone(&[TASKS, "tasks", "s3_persist_long_tasks"], "results are kept by the store of the tasks"),
    gone(&[TASKS, "tasks", "cleanup_interval"], "what is old is removed all the time, a little with each heartbeat"),
    gone(&[TASKS, "tasks", "default_timeout"], "it is `tasks.timeout`"),
    gone(&[TASKS, "rate_limiting", "enabled"], "a function is limited if it says `#[rate_limited]`"),
    gone(&[TASKS, "redis"], "nothing is kept in Redis unless `store.url` says so"),
    gone(&[TASKS, "database"], "a database is the service's own: it declares a section for it"),
    gone(&["aws"], "the framework talks to no cloud; a service that does declares a section for it"),
    gone(&["database"], "a database is the service's own: it declares a section for it"),
    gone(&["redis"], "nothing is kept in Redis unless `store.url` says so"),
    gone(&["monitoring"], "metrics and traces are switched on by features and in code"),
    gone(&["notifications"], "write an `on_failure` hook, or a task that tells whom you like"),
    gone(&["services"], "a section belongs to whoever declares it: give each service one of its own"),
];

/// Takes the settings away that mean nothing here, and tells of each. What the service declared itself is its own.
pub(super) fn take(tree: &mut Node, declared: &[Declared]) -> Vec<ConfigurationProblem> {
    let is_own = |it: &Gone| it.path.len() == 1 && declared.iter().any(|own| own.name == it.path[0]);
    let mut unused = Vec::new();
    for it in GONE.iter().filter(|it| !is_own(it)) {
        let Some(node) = tree.take(it.path) else { continue };
        tree.drop_empty(it.path);
        let message = format!("this has no effect here: {}", it.reason);
        unused.push(ConfigurationProblem::new(Some(node.origin), it.path.join("."), message));
    }
    unused
}
