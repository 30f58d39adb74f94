//! The task, and the process that runs it.

use std::{path::Path, time::Duration};

use ddd_core::{App, Settings, SqliteStore, task};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcome;

/// Who works here.
#[derive(Clone, Debug)]
pub struct Name(String);

/// A page on paper.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Printed {
    /// Who printed it.
    pub by: String,
}

/// Prints a page. It may be begun twice, if its worker dies meanwhile: what a body does must bear that.
#[task]
pub async fn print_page(page: u32, #[inject] name: &Name) -> Result<Printed, String> {
    tokio::time::sleep(Duration::from_millis(100 + u64::from(page % 5) * 20)).await;
    Ok(Printed { by: name.0.clone() })
}

/// A worker: runs tasks until it is told to end, or killed.
pub async fn work(file: &Path, name: &str) -> Outcome {
    let mut settings = Settings::default();
    settings.slots = 3;
    // How long the others wait before they take over from a process that gives no sign of life: 15 s unless set.
    settings.lease = Duration::from_secs(2);
    settings.heartbeat = Duration::from_millis(400);
    let store = SqliteStore::open(file)?;
    let app = App::builder().settings(settings).provide(Name(name.to_owned())).store(store).build().await?;
    app.run().await?;
    Ok(())
}
