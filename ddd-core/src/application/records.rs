//! Records as they are shown: secrets masked.

use serde_json::{Map, Value};

use super::services::Services;
use crate::{
    domain::{TaskId, TaskRecord},
    ports::StoreError,
};

/// What is shown in place of a secret.
const MASK: &str = "***";

/// The record of a task, as it is shown.
pub(crate) async fn get(services: &Services, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
    let records = services.call(services.store.get(vec![id])).await?;
    Ok(records.into_iter().next().flatten().map(masked))
}

/// The record with `***` in place of the parameters that are secret.
pub(crate) fn masked(mut record: TaskRecord) -> TaskRecord {
    let Some(label) = record.label.as_deref_mut().filter(|it| !it.secrets.is_empty()) else { return record };
    // Keys are made of parameters, so they may hold what is secret.
    for key in [&mut label.unique_key, &mut label.concurrency_key] {
        *key = key.take().map(|_| MASK.to_owned());
    }
    // What cannot be read is hidden whole.
    let mut params: Map<String, Value> = serde_json::from_str(record.params.get()).unwrap_or_default();
    for secret in &label.secrets {
        if let Some(value) = params.get_mut(secret.as_str()) {
            *value = Value::from(MASK);
        }
    }
    if let Ok(shown) = serde_json::value::to_raw_value(&params) {
        record.params = shown.into();
    }
    record
}
