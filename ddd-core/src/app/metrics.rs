//! Metrics that are looked at now and then instead of being counted along.

use std::collections::BTreeMap;
#[cfg(feature = "otel")]
use std::time::Duration;

use metrics::{counter, gauge};

use super::{App, policies::policies};
use crate::{
    domain::{Counts, Name, TaskStatus},
    ports::StoreError,
};

/// Figures of policies that are of now; all others only grow.
const OF_NOW: [&str; 11] = [
    "size",
    "weight",
    "running_fills",
    "tags",
    "tables",
    "running",
    "waiting",
    "used",
    "keys",
    "budget_left",
    "failure_rate",
];

impl App {
    /// Records the metrics that are not counted along: what is in the queues, how many bodies run, and the figures of
    /// policies. Whoever reads metrics now and then calls it right before; where they are exported over OTLP, that is done every
    /// 10 s as long as workers run.
    ///
    /// # Errors
    /// The store does not tell what is in its queues, after its time limit at the latest (`Settings::store_timeout`, 5 s unless
    /// set); the other metrics were recorded at once, and those of queues stay what they were.
    pub async fn record_metrics(&self) -> Result<(), StoreError> {
        gauge!("ddd.worker.running").set(self.running() as f64);
        gauge!("ddd.worker.slots").set(self.0.slots.load(std::sync::atomic::Ordering::Acquire) as f64);
        record_policies();
        let statistics = self.tasks().statistics().await?;
        self.record_queues(&statistics.queues);
        Ok(())
    }

    fn record_queues(&self, queues: &BTreeMap<Name, Counts>) {
        let mut recorded = self.0.recorded_queues.lock();
        // A queue that the store tells nothing of any more is empty.
        recorded.values_mut().for_each(|it| *it = Counts::default());
        for (queue, counts) in queues {
            // Names of other queues may be made from data.
            let label = if self.names_queue(queue) { queue.as_str() } else { "_OTHER" };
            let sum = recorded.entry(label.to_owned()).or_default();
            TaskStatus::ALL.into_iter().for_each(|it| sum.add_many(it, counts.get(it)));
        }
        for (queue, counts) in &*recorded {
            for status in TaskStatus::ALL.into_iter().filter(|it| !it.is_terminal()) {
                let labels = [("ddd.queue.name", queue.clone()), ("ddd.task.status", status.as_str().to_owned())];
                gauge!("ddd.queue.tasks", &labels).set(counts.get(status) as f64);
            }
        }
    }

    /// The same again and again, for as long as the answer is polled.
    #[cfg(feature = "otel")]
    pub(super) async fn keep_recording_metrics(app: std::sync::Weak<super::Inner>) {
        // An application that is dropped without a shutdown is not kept by its metrics.
        while let Some(app) = app.upgrade().map(App) {
            if let Err(error) = app.record_metrics().await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the store did not tell what is in its queues"
                );
            }
            drop(app);
            tokio::time::sleep(INTERVAL).await;
        }
    }
}

/// How often exported metrics are looked at.
#[cfg(feature = "otel")]
const INTERVAL: Duration = Duration::from_secs(10);

fn record_policies() {
    for policy in policies().list() {
        for (figure, value) in &policy.figures {
            let labels = |key| {
                [
                    ("ddd.policy.name", policy.name.to_owned()),
                    ("ddd.policy.kind", policy.kind.to_string()),
                    (key, figure.clone()),
                ]
            };
            match (OF_NOW.contains(&figure.as_str()), value.as_u64(), value.as_f64()) {
                (false, Some(count), _) => counter!("ddd.policy.events", &labels("ddd.policy.event")).absolute(count),
                (true, _, Some(now)) => gauge!("ddd.policy.state", &labels("ddd.policy.figure")).set(now),
                // Words, and what there is none of.
                _ => {}
            }
        }
    }
}
