//! What the driver tells a worker.

use std::{path::PathBuf, time::Duration};

use ddd_tests::kit::bugs::Bug;

#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// `work`, `submit` or `tick`.
    pub(crate) role: String,
    /// Where the tasks are kept.
    pub(crate) store: String,
    pub(crate) ledger: PathBuf,
    pub(crate) slots: usize,
    pub(crate) lease: Duration,
    pub(crate) heartbeat: Duration,
    /// How long a store may take to answer.
    pub(crate) store_timeout: Duration,
    /// A mistake that the store is to make.
    pub(crate) bug: Option<Bug>,
    /// Whether all that the store tells unasked is lost.
    pub(crate) deaf: bool,
    /// Where its configuration lies; without, its settings are those of these options.
    pub(crate) config: Option<PathBuf>,
    /// The numbers of the tasks to be submitted: from here on, so many, so many at once.
    pub(crate) from: u32,
    pub(crate) count: u32,
    pub(crate) batch: u32,
    /// Whether its code is that of the first deployment or of the second.
    pub(crate) deployment: u32,
    /// How many times as fast as it really does time passes, for schedules.
    pub(crate) speed: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            role: "work".to_owned(),
            store: "memory:".to_owned(),
            ledger: PathBuf::from("ledger"),
            slots: 8,
            lease: Duration::from_secs(2),
            heartbeat: Duration::from_millis(400),
            store_timeout: Duration::from_secs(5),
            bug: None,
            deaf: false,
            config: None,
            from: 0,
            count: 0,
            batch: 1,
            deployment: 1,
            speed: 1,
        }
    }
}
