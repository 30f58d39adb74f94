//! What a submission begins with: its definition, checked parameters, and the settings in force.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{current, registry::Registered, services::Services, submit_error::SubmitError};
use crate::{
    domain::{Label, Name, TaskId, Until},
    ports::{InvalidParams, Keys, NewTask, Task, written},
};

/// What is known of the task so far.
pub(super) struct Prepared {
    pub(super) task: NewTask,
}

impl Prepared {
    pub(super) fn label_mut(&mut self) -> &mut Label {
        self.task.label.get_or_insert_default()
    }

    pub(super) fn set_unique(&mut self, key: &str) {
        let key = format!("{}:{key}", self.task.name);
        self.label_mut().unique_key = Some(key);
    }
}

pub(super) fn prepare_typed<T: Task>(services: &Services, task: &T) -> Result<Prepared, SubmitError> {
    let registered = registered(services, T::definition().name)?;
    let invalid = |source| SubmitError::InvalidParams { name: registered.name.clone(), source };
    task.validate().map_err(invalid)?;
    let params = written(task).map_err(|it| invalid(InvalidParams::new("", it.to_string())))?;
    prepare(services, registered, params.into(), task.keys())
}

pub(super) fn prepare_named(services: &Services, name: &str, params: &impl Serialize) -> Result<Prepared, SubmitError> {
    let registered = registered(services, name)?;
    let invalid = |source| SubmitError::InvalidParams { name: registered.name.clone(), source };
    let mut params =
        serde_json::value::to_raw_value(params).map_err(|it| invalid(InvalidParams::new("", it.to_string())))?;
    if params.get() == "null" {
        params = serde_json::value::to_raw_value(&serde_json::Map::new())
            .map_err(|it| invalid(InvalidParams::new("", it.to_string())))?;
    }
    let keys = (registered.definition.check)(&params).map_err(invalid)?;
    prepare(services, registered, params.into(), keys)
}

fn registered<'a>(services: &'a Services, name: &str) -> Result<&'a Registered, SubmitError> {
    services
        .registry
        .find(name)
        .ok_or_else(|| SubmitError::UnknownTask { name: name.to_owned(), closest: services.registry.closest(name) })
}

fn prepare(
    services: &Services,
    registered: &Registered,
    params: Arc<RawValue>,
    keys: Keys,
) -> Result<Prepared, SubmitError> {
    let (size, limit) = (params.get().len(), services.settings.store.limits.params);
    if size > limit {
        return Err(SubmitError::TooLarge { name: registered.name.clone(), size, limit });
    }
    let settings = &registered.settings;
    let definition = registered.definition;
    let id: TaskId = services.ids.next(services.clock.now());
    let mut task = NewTask::new(id, registered.name.clone(), settings.queue.clone(), params);
    task.version = definition.options.version;
    task.priority = settings.priority;
    task.timeout = settings.timeout;
    task.max_attempts = settings.retry.max_attempts;
    task.unique_until = Some(settings.unique.unwrap_or(Until::Finished));
    let mut prepared = Prepared { task };
    if let Some(origin) = current::origin() {
        prepared.label_mut().origin = origin;
    }
    if !definition.options.tags.is_empty() {
        prepared.label_mut().tags = definition.options.tags.iter().copied().map(Name::new).collect();
    }
    if !definition.secrets.is_empty() {
        prepared.label_mut().secrets = definition.secrets.iter().copied().map(Name::new).collect();
    }
    if let Some(key) = keys.unique {
        prepared.set_unique(&key);
    }
    if let (Some(limit), Some(key)) = (settings.concurrency, keys.concurrency) {
        let key = format!("{}:{key}", registered.name);
        let label = prepared.label_mut();
        label.concurrency_key = Some(key);
        label.concurrency_limit = limit;
    }
    Ok(prepared)
}
