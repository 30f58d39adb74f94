//! An application of the harness, in the worker and in the driver.

use std::{error::Error, sync::Arc, time::Duration};

use ddd_core::{
    App, AppBuilder, Configuration, Settings, TaskStore,
    testing::{FaultyStore, HintFault},
};
use ddd_tests::kit::bugs::with_bug;

use crate::{
    options::Options,
    tasks::{Ledger, definitions},
};

/// The store of these options, with its mistake, if it is to make one.
pub(crate) async fn store(options: &Options) -> Result<Arc<dyn TaskStore>, Box<dyn Error>> {
    let app = App::builder().definitions([]).submit_only().store_url(&options.store).build().await?;
    let mut store = app.store().clone();
    if options.deaf {
        let deaf = FaultyStore::new(store);
        deaf.plan_hints(|_| HintFault::Lost);
        store = Arc::new(deaf);
    }
    Ok(match options.bug {
        Some(bug) => with_bug(store, bug),
        None => store,
    })
}

/// An application over it.
pub(crate) async fn builder(options: &Options, base: AppBuilder) -> Result<AppBuilder, Box<dyn Error>> {
    let base = match &options.config {
        None => base.settings(settings(options)),
        Some(folder) => {
            let nothing: [(&str, &str); 0] = [];
            let configuration =
                Configuration::builder().directory(folder).without_dotenv().environment(nothing).load()?;
            base.configuration(&configuration).reload_on_hangup()
        }
    };
    let ledger = Ledger::open(&options.ledger)?;
    Ok(base.definitions(definitions(options.deployment)).provide(ledger).shared_store(store(options).await?))
}

fn settings(options: &Options) -> Settings {
    let mut settings = Settings::default();
    settings.slots = options.slots;
    settings.lease = options.lease;
    settings.heartbeat = options.heartbeat;
    settings.store_timeout = options.store_timeout;
    settings.poll_interval = Duration::from_millis(200) * options.speed;
    settings
}
