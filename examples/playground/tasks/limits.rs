//! Tasks that wait for something else than a slot.

use std::time::Duration;

use ddd_core::task;

/// Imports for a tenant, one at a time for each: the others of that tenant are `blocked`.
#[task(queue = "imports", category = "limits", concurrency(limit = 1, key = tenant))]
pub async fn import(
    /// Whose turn it is.
    tenant: String,
    /// How long it takes, in milliseconds.
    ms: u64,
) -> Result<String, String> {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    Ok(tenant)
}

/// Rebuilds an index, once at a time: a second submission for the same index is answered with the first task.
#[task(category = "limits", unique(by = index))]
pub async fn rebuild(index: String, ms: u64) -> Result<String, String> {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    Ok(index)
}

/// Translates a text. Its body is in a program that does not exist, so its tasks are `parked`.
#[task(remote, category = "limits")]
pub async fn translate(text: String) -> Result<String, String>;
