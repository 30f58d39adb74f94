//! JSON in memory.

use serde::Serialize;
use serde_json::value::RawValue;

/// Texts up to this length are written before it is known how long they are, without growing.
const SHORT: usize = 128;

/// A value as JSON, in no more memory than the text takes.
///
/// Short texts, as most are, are copied to where they are kept. To shrink them in place would leave behind a piece of
/// memory for each, which the allocator has to join to others later; that costs more than all the rest.
///
/// # Errors
/// The value cannot be written as JSON.
pub(crate) fn written(value: &impl Serialize) -> serde_json::Result<Box<RawValue>> {
    let text = serde_json::to_string(value)?;
    if text.len() > SHORT {
        return RawValue::from_string(text);
    }
    serde_json::from_str::<&RawValue>(&text).map(ToOwned::to_owned)
}
