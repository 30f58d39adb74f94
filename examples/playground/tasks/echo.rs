//! Tasks that end at once, and one that runs by itself.

use std::time::{SystemTime, SystemTimeError};

use ddd_core::task;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Answers with what it was given.
#[task(category = "basics", tags("quick"))]
pub async fn echo(
    /// Any JSON.
    value: Value,
) -> Result<Value, String> {
    Ok(value)
}

/// What [`my_custom_task`] yields.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Processed {
    pub input: String,
    /// In characters.
    pub length: usize,
}

/// Takes a text and says how long it is.
#[task(category = "basics", tags("quick"))]
pub async fn my_custom_task(
    /// Any text.
    input: String,
) -> Result<Processed, String> {
    let length = input.chars().count();
    Ok(Processed { input, length })
}

/// Tells the seconds since 1970. Runs by itself every minute, and whenever it is asked to.
#[task(category = "basics", tags("quick"), schedule(every = "1m"))]
pub async fn tell_time() -> Result<u64, SystemTimeError> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs())
}
