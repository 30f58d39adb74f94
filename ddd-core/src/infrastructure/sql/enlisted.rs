//! A new task as one text, for those who write it over a connection that the store does not have.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::json::{json_of, json_text};
use crate::{
    domain::{Fingerprint, IdempotencyKey, Label, Name, Priority, TaskId, Timestamp, Until},
    ports::{Due, NewTask, StoreError, StoreErrorKind},
};

#[derive(Serialize, Deserialize)]
struct Text {
    id: TaskId,
    name: Name,
    version: u32,
    queue: Name,
    priority: Priority,
    params: Arc<RawValue>,
    due: When,
    max_attempts: u32,
    timeout: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<Box<Label>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique_until: Option<Until>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotency: Option<Key>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum When {
    Now,
    In(Duration),
    At(Timestamp),
}

#[derive(Serialize, Deserialize)]
struct Key {
    key: String,
    scope: String,
    fingerprint: Option<String>,
    ttl: Duration,
}

/// `task` as one text.
pub(crate) fn to_text(task: &NewTask) -> Result<String, StoreError> {
    let due = match task.due {
        Due::Now => When::Now,
        Due::In(delay) => When::In(delay),
        Due::At(at) => When::At(at),
    };
    let key = |it: &IdempotencyKey| Key {
        key: it.key.clone(),
        scope: it.scope.clone(),
        fingerprint: it.fingerprint.map(|it| it.to_string()),
        ttl: it.ttl,
    };
    json_text(&Text {
        id: task.id,
        name: task.name.clone(),
        version: task.version,
        queue: task.queue.clone(),
        priority: task.priority,
        params: task.params.clone(),
        due,
        max_attempts: task.max_attempts,
        timeout: task.timeout,
        label: task.label.clone(),
        unique_until: task.unique_until,
        idempotency: task.idempotency.as_deref().map(key),
    })
}

/// The task that [`to_text`] wrote.
pub(crate) fn from_text(text: &str) -> Result<NewTask, StoreError> {
    let text: Text = json_of(text)?;
    let mut task = NewTask::new(text.id, text.name, text.queue, text.params);
    task.version = text.version;
    task.priority = text.priority;
    task.due = match text.due {
        When::Now => Due::Now,
        When::In(delay) => Due::In(delay),
        When::At(at) => Due::At(at),
    };
    task.max_attempts = text.max_attempts;
    task.timeout = text.timeout;
    task.label = text.label;
    task.unique_until = text.unique_until;
    task.idempotency = text.idempotency.map(key).transpose()?.map(Box::new);
    Ok(task)
}

fn key(it: Key) -> Result<IdempotencyKey, StoreError> {
    let bits = it.fingerprint.as_deref().map(|it| u128::from_str_radix(it, 16)).transpose();
    let bits = bits.map_err(|it| StoreError::new(StoreErrorKind::Corrupt, it))?;
    let key = IdempotencyKey::new(it.key).scope(it.scope).ttl(it.ttl);
    Ok(match bits {
        Some(bits) => key.fingerprint(Fingerprint::from_bits(bits)),
        None => key,
    })
}
