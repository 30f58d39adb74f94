//! How the store comes by a connection, and why it does not: a pool that waits in vain forgets what it waited for.

use std::{
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use sqlx::{
    Connection as _, PgConnection,
    pool::PoolConnection,
    postgres::{PgConnectOptions, Postgres},
};

use super::{
    core::Core,
    error::{Outcome, Remedy, Trouble},
};
use crate::ports::{StoreError, StoreErrorKind};

impl Core {
    /// A connection of the pool. Who gets none gets none by asking again at once.
    pub(super) async fn acquire(&self) -> Outcome<PoolConnection<Postgres>> {
        let patience = self.patience() / 2;
        let mut acquiring = pin!(self.pool.acquire());
        let acquired = match tokio::time::timeout(patience, &mut acquiring).await {
            Ok(acquired) => acquired,
            Err(_) => {
                let asking = tokio::spawn(tokio::time::timeout(patience, connect(self.pool.connect_options())));
                let acquired = acquiring.await;
                let is_answered = asking.is_finished();
                match acquired {
                    Err(sqlx::Error::PoolTimedOut) if is_answered => match asking.await {
                        Ok(Ok(Err(reason))) => Err(reason),
                        // All connections of the pool are in use, or there was no answer either.
                        _ => Err(sqlx::Error::PoolTimedOut),
                    },
                    acquired => {
                        asking.abort();
                        acquired
                    }
                }
            }
        };
        acquired.map_err(|error| self.refused(error))
    }

    fn patience(&self) -> Duration {
        self.pool.options().get_acquire_timeout()
    }

    fn refused(&self, error: sqlx::Error) -> Trouble {
        let trouble = match error {
            sqlx::Error::PoolTimedOut => {
                let problem = format!(
                    "no connection to {} within {:?}: it does not answer, or all connections of the pool are in use",
                    address(&self.pool.connect_options()),
                    self.patience(),
                );
                Trouble::unavailable(problem, Remedy::Tell)
            }
            sqlx::Error::Io(cause) => {
                let problem = format!("no connection to {}: {cause}", address(&self.pool.connect_options()));
                Trouble::unavailable(problem, Remedy::Tell)
            }
            // Later, the same may pass: a password that is being changed.
            sqlx::Error::Database(error)
                if !self.is_set_up.load(Ordering::Relaxed) && error.code().is_some_and(|it| it.starts_with("28")) =>
            {
                StoreError::new(StoreErrorKind::Misconfigured, error.message()).into()
            }
            error => error.into(),
        };
        Trouble { remedy: Remedy::Tell, ..trouble }
    }
}

/// What the server says to a connection beside the pool.
async fn connect(options: Arc<PgConnectOptions>) -> sqlx::Result<()> {
    PgConnection::connect_with(&options).await?.close().await
}

/// Where the server is said to be; nothing about who asks.
fn address(options: &PgConnectOptions) -> String {
    match options.get_socket() {
        Some(folder) => format!("`{}`", folder.display()),
        None => format!("`{}:{}`", options.get_host(), options.get_port()),
    }
}
