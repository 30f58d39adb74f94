//! What can be submitted.

use std::{collections::BTreeMap, sync::Arc};

use axum::http::StatusCode;
use ddd_core::{
    Registered,
    domain::{ScheduleOption, Until},
};
use schemars::Schema;
use serde::Serialize;

use super::{options, submit::unknown};
use crate::{
    request::{Answer, Call, reply},
    seconds::Seconds,
    state::State,
};

/// The definitions within reach.
#[derive(Debug, Serialize)]
struct RegistryBody<'a> {
    tasks: Vec<DefinitionBody<'a>>,
    total: usize,
    /// How many there are of each category.
    categories: BTreeMap<&'static str, usize>,
}

/// A definition, with the settings in force.
#[derive(Debug, Serialize)]
struct DefinitionBody<'a> {
    task_name: &'static str,
    /// `async`, `sync`, or `null` if its body is in another program.
    task_type: Option<&'static str>,
    description: &'static str,
    version: u32,
    category: Option<&'static str>,
    tags: &'static [&'static str],
    queue: &'a str,
    priority: i8,
    timeout: Seconds,
    max_attempts: u32,
    retry_delay: Seconds,
    retry_backoff: f64,
    result_ttl: Seconds,
    concurrency: Option<u32>,
    /// Until when a second submission is the same task.
    unique: Option<UniqueBody>,
    schedule: Option<ScheduleBody>,
    secrets: &'static [&'static str],
    params: &'a Schema,
    result: &'a Schema,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum UniqueBody {
    UntilFinished,
    For(Seconds),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", untagged)]
enum ScheduleBody {
    Cron { cron: &'static str, time_zone: &'static str },
    Every { every: Seconds },
}

/// The definitions that a query means.
pub(crate) async fn all(state: Arc<State>, call: Call) -> Answer {
    let mut query = call.query()?;
    let text = query.read("q", Ok);
    let category = query.read("category", Ok);
    let tag = query.read("tag", Ok);
    query.finish()?;
    let mut body = RegistryBody { tasks: Vec::new(), total: 0, categories: BTreeMap::new() };
    for registered in state.definitions() {
        let options = &registered.definition.options;
        let is_meant = category.as_deref().is_none_or(|it| options.category == Some(it))
            && tag.as_deref().is_none_or(|it| options.tags.contains(&it))
            && text.as_deref().is_none_or(|it| registered.mentions(it));
        if is_meant && let Some(definition) = definition(&state, registered) {
            *body.categories.entry(options.category.unwrap_or("none")).or_default() += 1;
            body.total += 1;
            body.tasks.push(definition);
        }
    }
    reply(StatusCode::OK, &body)
}

/// One definition.
pub(crate) async fn one(state: Arc<State>, call: Call) -> Answer {
    call.query()?.finish()?;
    let name = call.path("task_name");
    let registered = state.definition(name);
    match registered.and_then(|it| definition(&state, it)) {
        Some(definition) => reply(StatusCode::OK, &definition),
        None => Err(unknown(&state, name, "")),
    }
}

fn definition<'a>(state: &'a State, registered: &'a Registered) -> Option<DefinitionBody<'a>> {
    let schemas = &state.catalogue.of(registered)?.schemas;
    let definition = registered.definition;
    let options = &definition.options;
    let settings = &registered.settings;
    Some(DefinitionBody {
        task_name: definition.name,
        task_type: options::type_of(registered),
        description: definition.doc,
        version: options.version,
        category: options.category,
        tags: options.tags,
        queue: &settings.queue,
        priority: settings.priority.get(),
        timeout: Seconds(settings.timeout),
        max_attempts: settings.retry.max_attempts,
        retry_delay: Seconds(settings.retry.delay),
        retry_backoff: settings.retry.backoff,
        result_ttl: Seconds(settings.result_ttl),
        concurrency: settings.concurrency,
        unique: settings.unique.and_then(|it| match it {
            Until::Finished => Some(UniqueBody::UntilFinished),
            Until::Elapsed(duration) => Some(UniqueBody::For(Seconds(duration))),
            _ => None,
        }),
        schedule: options.schedule.and_then(|it| match it {
            ScheduleOption::Cron { expression, time_zone } => Some(ScheduleBody::Cron { cron: expression, time_zone }),
            ScheduleOption::Every(period) => Some(ScheduleBody::Every { every: Seconds(period) }),
            _ => None,
        }),
        secrets: definition.secrets,
        params: &schemas.params,
        result: &schemas.result,
    })
}
