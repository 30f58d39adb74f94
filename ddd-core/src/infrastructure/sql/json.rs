//! What is written as JSON into one column, because nothing is looked for in it.

use std::sync::Arc;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{
    domain::AttemptError,
    ports::{StoreError, StoreErrorKind},
};

fn corrupt(error: serde_json::Error) -> StoreError {
    StoreError::new(StoreErrorKind::Corrupt, error)
}

/// `value` as it is written into a column.
pub(crate) fn json_text<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(corrupt)
}

/// What a column holds.
pub(crate) fn json_of<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(corrupt)
}

/// A text that is JSON, as it stands.
pub(crate) fn raw(text: String) -> Result<Arc<RawValue>, StoreError> {
    RawValue::from_string(text).map(Into::into).map_err(corrupt)
}

/// Errors of attempts; nothing for none, which is what most tasks have.
pub(crate) fn errors_text(errors: &[AttemptError]) -> Result<Option<String>, StoreError> {
    if errors.is_empty() { Ok(None) } else { json_text(&errors).map(Some) }
}

/// The errors that a column holds.
pub(crate) fn errors_of(text: Option<&str>) -> Result<Vec<AttemptError>, StoreError> {
    text.map_or(Ok(Vec::new()), json_of)
}
