//! Tasks that take their time.

use std::time::Duration;

use ddd_core::{TaskContext, task};

/// The rest between two numbers, unless told.
const fn delay_ms() -> u64 {
    100
}

/// Waits without occupying a thread. It can be cancelled, and timed out, at any moment.
#[task(category = "timing")]
pub async fn sleep(
    /// How long, in milliseconds.
    ms: u64,
) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

/// Waits and occupies a thread. Nothing can stop it: after its timeout the record says `still_running` until it returns.
#[task(category = "timing")]
pub fn blocking_sleep(
    /// How long, in milliseconds.
    ms: u64,
) {
    std::thread::sleep(Duration::from_millis(ms));
}

/// Counts, and reports its progress at every number.
#[task(category = "timing")]
pub async fn count_to(
    /// The last number.
    n: u32,
    /// The rest between two numbers, in milliseconds.
    #[serde(default = "delay_ms")]
    delay_ms: u64,
    #[inject] context: TaskContext,
) -> Result<u32, String> {
    for number in 1..=n {
        context.progress(f64::from(number) / f64::from(n), format!("{number} of {n}"));
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    Ok(n)
}
