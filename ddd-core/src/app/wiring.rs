//! What an application's parts must be for each other.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    application::{Registry, Settings},
    domain::{ConfigurationProblem, Name, PolicyKind, Schedule, closest},
    ports::{Definition, Policy},
};

/// The queues that this process serves.
pub(super) fn served(registry: &Registry, settings: &Settings) -> Vec<Name> {
    settings.queues.clone().unwrap_or_else(|| named(registry, settings).into_iter().collect())
}

/// The queues that definitions or settings name, and `default`.
pub(super) fn named(registry: &Registry, settings: &Settings) -> BTreeSet<Name> {
    let of_tasks = registry.iter().map(|it| &it.settings.queue);
    let of_settings = settings.store.queues.iter().map(|it| &it.0).chain(settings.queues.iter().flatten());
    of_tasks.chain(of_settings).cloned().chain([Name::new("default")]).collect()
}

pub(super) fn with_limits(queues: Vec<Name>, settings: &Settings) -> Vec<(Name, usize)> {
    let limit = |name: &Name| {
        let configured = settings.store.queues.iter().rfind(|it| it.0 == *name);
        configured.and_then(|it| it.1.concurrency_per_worker).unwrap_or(usize::MAX)
    };
    queues.into_iter().map(|it| (it.clone(), limit(&it))).collect()
}

pub(super) fn schedule_problems(definitions: &[&Definition]) -> Vec<String> {
    let scheduled = definitions.iter().filter_map(|it| Some((it, it.options.schedule?)));
    let problems = scheduled.filter_map(|(definition, option)| {
        let error = Schedule::from_option(option).err()?;
        Some(format!("task `{}` at {}: its schedule cannot be read: {error}", definition.name, definition.place()))
    });
    problems.collect()
}

pub(super) fn queue_problems(settings: &Settings) -> Vec<ConfigurationProblem> {
    let limits = settings.store.queues.iter().flat_map(|(name, it)| {
        [
            ("max_depth", it.max_depth),
            ("concurrency", it.concurrency),
            ("concurrency_per_worker", it.concurrency_per_worker),
        ]
        .map(|(what, limit)| (name, what, limit))
    });
    let zeros = limits.filter(|it| it.2 == Some(0)).map(|(name, what, _)| {
        let message = format!("queue `{name}`: `{what}` is 0; write at least 1, or pause the queue");
        ConfigurationProblem::new(None, format!("queues.{name}.{what}"), message)
    });
    let configured = settings.store.queues.iter().map(|it| (&it.0, format!("queues.{}", it.0)));
    let names = configured.chain(settings.queues.iter().flatten().map(|it| (it, "tasks.queues".to_owned())));
    let bad = names.filter_map(|(name, key)| {
        let message = format!("queue `{name}`: {}", Name::check(name).err()?);
        Some(ConfigurationProblem::new(None, key, message))
    });
    zeros.chain(bad).collect()
}

/// Queues with settings which no task is in, and whose names are like that of one. They may be meant: a submission can name its queue.
pub(super) fn mistyped_queues(registry: &Registry, settings: &Settings) -> Vec<ConfigurationProblem> {
    let said = settings.queues.iter().flatten();
    let used: BTreeSet<_> = registry.iter().map(|it| &it.settings.queue).chain(said).cloned().collect();
    let unused = settings.store.queues.iter().filter(|it| !used.contains(&it.0));
    let mistyped = unused.filter_map(|(name, _)| {
        let near = closest(name, used.iter().map(Name::as_str))?;
        let message = format!("settings of the queue `{name}`, which no task is in; did you mean `{near}`?");
        Some(ConfigurationProblem::new(None, format!("queues.{name}"), message))
    });
    mistyped.collect()
}

/// Policies of this kind that need a store which was not given: `method` of the builder takes it.
pub(super) fn shared_problems(policies: &[&dyn Policy], kind: PolicyKind, method: &str) -> Vec<String> {
    let of_kind = policies.iter().filter(|it| it.kind() == kind);
    let shared = of_kind.filter(|it| it.annotated().get("scope").and_then(Value::as_str) == Some("shared"));
    let problem = |it: &&dyn Policy| {
        let site = it.site();
        format!(
            "`#[{kind}]` of `{}` at {site}: its scope is shared, and there is no store for it; write `.{method}(…)` on \
             the builder",
            site.name
        )
    };
    shared.map(problem).collect()
}
