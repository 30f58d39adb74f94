//! Records as they are shown: secrets masked.

use serde_json::{Map, Value};

use super::services::Services;
use crate::{
    domain::{TaskId, TaskRecord},
    ports::StoreError,
};

/// The record of a task, as it is shown.
pub(crate) async fn get(services: &Services, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
    let records = services.call(services.store.get(vec![id])).await?;
    Ok(records.into_iter().next().flatten().map(masked))
}

/// The record with `***` in place of the parameters that are secret.
pub(crate) fn masked(mut record: TaskRecord) -> TaskRecord {
    let secrets = record.label.as_ref().map_or(&[][..], |it| &it.secrets);
    if secrets.is_empty() {
        return record;
    }
    // What cannot be read is hidden whole.
    let mut params: Map<String, Value> = serde_json::from_str(record.params.get()).unwrap_or_default();
    for secret in secrets {
        if let Some(value) = params.get_mut(secret.as_str()) {
            *value = Value::from("***");
        }
    }
    if let Ok(shown) = serde_json::value::to_raw_value(&params) {
        record.params = shown.into();
    }
    record
}
