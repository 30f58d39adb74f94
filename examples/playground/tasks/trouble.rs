//! Tasks that go wrong.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use ddd_core::task;

/// How often each key of [`flaky`] has failed.
#[derive(Debug, Default)]
pub struct Failures(Mutex<HashMap<String, u32>>);

impl Failures {
    /// Clients choose the keys, so there is a bound: at it, all are forgotten.
    const MOST_KEYS: usize = 10_000;

    /// Counts one more failure of `key`, up to `most`; `None` if it has failed so often before.
    fn count(&self, key: &str, most: u32) -> Option<u32> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= Self::MOST_KEYS && !all.contains_key(key) {
            all.clear();
        }
        let failed = all.entry(key.to_owned()).or_default();
        if *failed >= most {
            return None;
        }
        *failed += 1;
        Some(*failed)
    }
}

/// Fails at once and for good.
#[task(category = "trouble")]
pub async fn fail(
    /// What its error says.
    message: String,
) -> Result<(), String> {
    Err(message)
}

/// Fails so many times for a key, then succeeds. Is tried again, up to five attempts, half a second apart.
#[task(category = "trouble", retry(max_attempts = 5, delay = "500ms", backoff = 1.0, jitter = false))]
pub async fn flaky(
    /// What failures are counted by, over all tasks.
    key: String,
    /// How many of them there are.
    failures: u32,
    #[inject] seen: &Failures,
) -> Result<String, String> {
    match seen.count(&key, failures) {
        Some(failed) => Err(format!("failure {failed} of {failures} of `{key}`")),
        None => Ok(format!("`{key}` has failed {failures} times and works now")),
    }
}

/// Panics. Its attempt fails, and nothing else.
#[task(category = "trouble")]
#[allow(clippy::panic, reason = "it is what it is for")]
pub async fn panic(
    /// What the panic says.
    message: String,
) {
    panic!("{message}");
}
