//! Records as they are shown: secrets masked.

use std::sync::Arc;

use serde_json::{Map, Value, value::RawValue};

use super::{registry::Registry, services::Services};
use crate::{
    domain::{Label, TaskId, TaskRecord, TaskSummary},
    ports::{ScheduleRecord, StoreError},
};

/// What is shown in place of a secret.
const MASK: &str = "***";

/// The record of a task, as it is shown.
pub(crate) async fn get(services: &Services, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
    let records = services.call(services.store.get(vec![id])).await?;
    Ok(records.into_iter().next().flatten().map(masked))
}

/// The records of tasks, as they are shown, in order.
pub(crate) async fn get_many(services: &Services, ids: Vec<TaskId>) -> Result<Vec<Option<TaskRecord>>, StoreError> {
    let records = services.call(services.store.get(ids)).await?;
    Ok(records.into_iter().map(|it| it.map(masked)).collect())
}

/// The record with `***` in place of the parameters that are secret.
pub(crate) fn masked(mut record: TaskRecord) -> TaskRecord {
    let Some(label) = record.label.as_deref_mut().filter(|it| !it.secrets.is_empty()) else { return record };
    hide_keys(label);
    hide(&mut record.params, |name| label.secrets.iter().any(|it| *it == *name));
    record
}

/// The summary with `***` in place of what is made of secret parameters.
pub(crate) fn masked_summary(mut summary: TaskSummary) -> TaskSummary {
    if let Some(label) = summary.label.as_deref_mut().filter(|it| !it.secrets.is_empty()) {
        hide_keys(label);
    }
    summary
}

/// Keys are made of parameters, so they may hold what is secret.
fn hide_keys(label: &mut Label) {
    for key in [&mut label.unique_key, &mut label.concurrency_key] {
        *key = key.take().map(|_| MASK.to_owned());
    }
}

/// The schedule with `***` in place of the parameters that are secret: all of them, if its task is not known here.
pub(crate) fn masked_schedule(registry: &Registry, mut record: ScheduleRecord) -> ScheduleRecord {
    match registry.find(&record.task).map(|it| it.definition.secrets) {
        Some([]) => {}
        Some(secrets) => hide(&mut record.params, |name| secrets.contains(&name)),
        None => hide(&mut record.params, |_| true),
    }
    record
}

/// Masks the parameters that are secret. What cannot be read is hidden whole.
fn hide(params: &mut Arc<RawValue>, is_secret: impl Fn(&str) -> bool) {
    let mut members: Map<String, Value> = serde_json::from_str(params.get()).unwrap_or_default();
    for (_, value) in members.iter_mut().filter(|(name, _)| is_secret(name)) {
        *value = Value::from(MASK);
    }
    if let Ok(shown) = serde_json::value::to_raw_value(&members) {
        *params = shown.into();
    }
}
