//! SIGHUP means that the configuration is read again.

use std::io;

use tokio::task::AbortHandle;

use super::App;

/// Waits for SIGHUP until it is dropped.
#[derive(Debug)]
#[must_use = "dropped at once, it hears nothing"]
pub struct HangupWatch(Option<AbortHandle>);

impl Drop for HangupWatch {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl App {
    /// Reads the configuration again whenever the process gets SIGHUP, if the builder was told
    /// [`reload_on_hangup`](crate::AppBuilder::reload_on_hangup); else this does nothing. [`App::run`] and the servers of
    /// `ddd_web` do this by themselves.
    ///
    /// What was wrong with the new configuration is logged, and all stays as it was; only what a store did with the settings of
    /// queues that it did not confirm is not certain.
    ///
    /// # Errors
    /// The system does not let the process listen for signals.
    pub fn watch_hangup(&self) -> io::Result<HangupWatch> {
        if !self.0.reloads_on_hangup {
            return Ok(HangupWatch(None));
        }
        self.spawn_watch().map(HangupWatch)
    }

    #[cfg(all(unix, feature = "config"))]
    fn spawn_watch(&self) -> io::Result<Option<AbortHandle>> {
        let mut hangups = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
        let app = self.clone();
        let watching = self.0.services.runtime.spawn(async move {
            while hangups.recv().await.is_some() {
                if let Err(error) = app.reload().await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the configuration was not taken over: {error}"
                    );
                }
            }
        });
        Ok(Some(watching.abort_handle()))
    }

    #[cfg(not(all(unix, feature = "config")))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "the same as elsewhere")]
    fn spawn_watch(&self) -> io::Result<Option<AbortHandle>> {
        Ok(None)
    }
}
