//! When checks are made, and what they last found.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ddd_core::App;
use parking_lot::Mutex;
use tokio::{task::JoinSet, time::Instant};

use super::{
    checks::{Check, Thresholds},
    report::{Finding, Level, Report},
};

/// When checks are made, and what they last found.
#[derive(Debug)]
pub(crate) struct Health {
    app: App,
    checks: Vec<Check>,
    /// How long one check may take.
    timeout: Duration,
    pub(super) started: Instant,
    pub(super) version: Option<String>,
    last: Mutex<Option<(Instant, Arc<Report>)>>,
    /// Held while checks are made: whoever asks meanwhile waits for the same answer.
    under_way: tokio::sync::Mutex<()>,
}

impl Health {
    /// How long one check may take, unless set otherwise.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

    /// Checks are made at most so often, whoever asks: everybody may.
    const FRESH: Duration = Duration::from_secs(1);

    pub(crate) fn new(
        app: App,
        own: &[Check],
        thresholds: Thresholds,
        timeout: Duration,
        version: Option<String>,
    ) -> Self {
        // Of several of one name, the last one counts.
        let mut checks = Check::built_in(&app, thresholds);
        for check in own {
            checks.retain(|it| it.name != check.name);
            checks.push(check.clone());
        }
        let (last, under_way) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { app, checks, timeout, started: Instant::now(), version, last, under_way }
    }

    /// What was found last, whenever that was.
    pub(super) fn known(&self) -> Option<Arc<Report>> {
        self.last.lock().as_ref().map(|it| it.1.clone())
    }

    fn fresh(&self) -> Option<Arc<Report>> {
        self.last.lock().as_ref().filter(|it| it.0.elapsed() < Self::FRESH).map(|it| it.1.clone())
    }

    /// What checks find now.
    pub(super) async fn check(&self) -> Arc<Report> {
        if let Some(report) = self.fresh() {
            return report;
        }
        let _turn = self.under_way.lock().await;
        if let Some(report) = self.fresh() {
            return report;
        }
        let report = Arc::new(Report::of(self.run().await, self.app.now()));
        *self.last.lock() = Some((Instant::now(), report.clone()));
        report
    }

    /// Makes all checks at once. They end with the request that asked for them.
    async fn run(&self) -> BTreeMap<String, Finding> {
        let mut running = JoinSet::new();
        for check in &self.checks {
            let (check, timeout) = (check.clone(), self.timeout);
            running.spawn(async move {
                let began = Instant::now();
                // A panic of the check itself ends this task, and is told below.
                let outcome = tokio::time::timeout(timeout, (check.run)()).await;
                let (level, message) = match outcome {
                    Ok(Ok(())) => (Level::Healthy, None),
                    Ok(Err((level, message))) => (level, Some(message)),
                    Err(_) => (Level::Unhealthy, Some(format!("no answer within {timeout:?}"))),
                };
                (check.name, Finding::new(level, message, began.elapsed()))
            });
        }
        let mut found = BTreeMap::new();
        while let Some(ended) = running.join_next().await {
            found.extend(ended.ok());
        }
        for check in &self.checks {
            found.entry(check.name.clone()).or_insert_with(|| {
                Finding::new(Level::Unhealthy, Some("the check panicked".to_owned()), Duration::ZERO)
            });
        }
        found
    }
}
