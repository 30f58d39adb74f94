//! What a submission begins with: its definition, checked parameters, and the settings in force.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{current, registry::Registered, seat::Seat, services::Services, submit_error::SubmitError, tracer};
use crate::{
    domain::{Fingerprint, Label, Name, Timestamp, Until},
    ports::{Due, InvalidParams, Keys, NewTask, Task, written},
};

/// What is known of the task so far: all but its identity, which tells when it is submitted.
pub(super) struct Prepared {
    pub(super) task: NewTask,
}

/// Gives a task its identity, and who is to be told of its end. It stays where it is, because it is large.
pub(super) fn complete(task: &mut NewTask, services: &Services, seat: &Arc<Seat>, now: Timestamp) {
    task.id = services.ids.next(now);
    // The handle takes its seat before the task can end.
    task.watcher = Some(seat.clone());
    if let Some(key) = &mut task.idempotency {
        let what = || Fingerprint::of([task.name.as_bytes(), task.params.get().as_bytes()]);
        key.fingerprint.get_or_insert_with(what);
    }
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
    prepare(services, registered, params, task.keys())
}

pub(super) fn prepare_named(services: &Services, name: &str, params: &impl Serialize) -> Result<Prepared, SubmitError> {
    let (registered, params, keys) = checked_named(services, name, params)?;
    prepare(services, registered, params, keys)
}

/// What a submission by name takes of its definition and its parameters. Nothing is submitted by this.
pub(super) fn checked_named<'a>(
    services: &'a Services,
    name: &str,
    params: &impl Serialize,
) -> Result<(&'a Registered, Arc<RawValue>, Keys), SubmitError> {
    let registered = registered(services, name)?;
    let invalid = |source| SubmitError::InvalidParams { name: registered.name.clone(), source };
    let mut params =
        serde_json::value::to_raw_value(params).map_err(|it| invalid(InvalidParams::new("", it.to_string())))?;
    if params.get() == "null" {
        params = serde_json::value::to_raw_value(&serde_json::Map::new())
            .map_err(|it| invalid(InvalidParams::new("", it.to_string())))?;
    }
    let keys = (registered.definition.check)(&params).map_err(invalid)?;
    fits(services, registered, &params)?;
    Ok((registered, params.into(), keys))
}

fn registered<'a>(services: &'a Services, name: &str) -> Result<&'a Registered, SubmitError> {
    services
        .registry
        .find(name)
        .ok_or_else(|| SubmitError::UnknownTask { name: name.to_owned(), closest: services.registry.closest(name) })
}

fn fits(services: &Services, registered: &Registered, params: &RawValue) -> Result<(), SubmitError> {
    let (size, limit) = (params.get().len(), services.settings.store.limits.params);
    if size > limit { Err(SubmitError::TooLarge { name: registered.name.clone(), size, limit }) } else { Ok(()) }
}

fn prepare(
    services: &Services,
    registered: &Registered,
    params: Arc<RawValue>,
    keys: Keys,
) -> Result<Prepared, SubmitError> {
    fits(services, registered, &params)?;
    registered.meters.submitted();
    let settings = &registered.settings;
    let definition = registered.definition;
    // Written where it is returned: it is large, and this is done for every task.
    let mut prepared = Prepared {
        task: NewTask {
            id: Uuid::nil().into(),
            name: registered.name.clone(),
            version: definition.options.version,
            queue: settings.queue.clone(),
            priority: settings.priority,
            params,
            due: Due::Now,
            max_attempts: settings.retry.max_attempts,
            timeout: settings.timeout,
            label: None,
            watcher: None,
            unique_until: Some(settings.unique.unwrap_or(Until::Finished)),
            idempotency: None,
        },
    };
    if let Some(origin) = current::origin() {
        prepared.label_mut().origin = origin;
    }
    if let Some(context) = tracer::collected() {
        prepared.label_mut().origin.traceparent = Some(context.to_string());
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
