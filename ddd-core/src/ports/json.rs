//! JSON in memory.

use std::sync::LazyLock;

use serde::Serialize;
use serde_json::value::RawValue;

/// Texts up to this length are written before it is known how long they are, without growing.
const SHORT: usize = 128;

/// What tasks without parameters have: it need not be checked each time that it is JSON.
static EMPTY: LazyLock<Option<Box<RawValue>>> =
    LazyLock::new(|| serde_json::value::to_raw_value(&serde_json::Map::new()).ok());

/// A value as JSON, in no more memory than the text takes.
///
/// Short texts, as most are, are copied to where they are kept. To shrink them in place would leave behind a piece of
/// memory for each, which the allocator has to join to others later; that costs more than all the rest.
///
/// # Errors
/// The value cannot be written as JSON.
pub(crate) fn written(value: &impl Serialize) -> serde_json::Result<Box<RawValue>> {
    kept(serde_json::to_string(value)?)
}

/// The same; nothing is kept of a `null`.
///
/// # Errors
/// The value cannot be written as JSON.
pub(crate) fn written_unless_null(value: &impl Serialize) -> serde_json::Result<Option<Box<RawValue>>> {
    let text = serde_json::to_string(value)?;
    if text == "null" { Ok(None) } else { kept(text).map(Some) }
}

fn kept(text: String) -> serde_json::Result<Box<RawValue>> {
    if text == "{}"
        && let Some(empty) = &*EMPTY
    {
        return Ok(empty.clone());
    }
    if text.len() > SHORT {
        return RawValue::from_string(text);
    }
    serde_json::from_str::<&RawValue>(&text).map(ToOwned::to_owned)
}
