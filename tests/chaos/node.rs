//! An application of the harness, in the worker and in the driver.

use std::{error::Error, sync::Arc, time::Duration};

use ddd_core::{
    AppBuilder, PostgresStore, Settings, SqliteOptions, TaskStore,
    ports::StoreSettings,
    testing::{FaultyStore, HintFault},
};
use ddd_tests::kit::bugs::with_bug;

use crate::{
    options::Options,
    tasks::{Ledger, definitions},
};

/// The store of these options, with its mistake, if it is to make one.
pub(crate) async fn store(options: &Options) -> Result<Arc<dyn TaskStore>, Box<dyn Error>> {
    let mut store: Arc<dyn TaskStore> = if options.store.starts_with("postgres") {
        Arc::new(PostgresStore::connect(&options.store).await?)
    } else {
        Arc::new(SqliteOptions::of_url(&options.store)?.open()?)
    };
    if options.deaf {
        let deaf = FaultyStore::new(store);
        deaf.plan_hints(|_| HintFault::Lost);
        store = Arc::new(deaf);
    }
    Ok(options.bug.map_or(store.clone(), |bug| with_bug(store, bug)))
}

/// An application over it.
pub(crate) async fn builder(options: &Options, base: AppBuilder) -> Result<AppBuilder, Box<dyn Error>> {
    let mut settings = Settings::default();
    settings.slots = options.slots;
    settings.lease = options.lease;
    settings.heartbeat = options.heartbeat;
    settings.store_timeout = options.store_timeout;
    settings.poll_interval = Duration::from_millis(200) * options.speed;
    settings.store = StoreSettings::default();
    let ledger = Ledger::open(&options.ledger)?;
    Ok(base.settings(settings).definitions(definitions()).provide(ledger).shared_store(store(options).await?))
}
