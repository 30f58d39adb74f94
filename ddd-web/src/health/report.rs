//! What checks found.

use std::{collections::BTreeMap, time::Duration};

use ddd_core::Timestamp;
use serde::Serialize;

use crate::seconds::Seconds;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    Healthy,
    /// It works, but somebody should look.
    Degraded,
    /// It does not work.
    Unhealthy,
}

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    pub(super) status: Level,
    /// Why it is not healthy.
    pub(super) message: Option<String>,
    /// How long the check took.
    pub(super) duration: Seconds,
}

impl Finding {
    pub(super) const fn new(status: Level, message: Option<String>, duration: Duration) -> Self {
        Self { status, message, duration: Seconds(duration) }
    }
}

/// What all checks found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(super) status: Level,
    pub(super) checked_at: Timestamp,
    pub(super) checks: BTreeMap<String, Finding>,
}

impl Report {
    pub(super) fn of(checks: BTreeMap<String, Finding>, checked_at: Timestamp) -> Self {
        let status = checks.values().map(|it| it.status).max().unwrap_or(Level::Healthy);
        Self { status, checked_at, checks }
    }
}
