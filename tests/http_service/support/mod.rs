//! What a black-box test of a service needs: the service as a process, and clients that know nothing of it but HTTP.

pub(crate) mod client;
pub(crate) mod events;
pub(crate) mod process;

use std::time::Duration;

/// Far more than anything here takes, even on a busy machine: over it something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Awaits it, but not for ever.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(it) => it,
        Err(_) => panic!("{what}: nothing came of it within {PATIENCE:?}"),
    }
}
