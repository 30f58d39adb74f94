//! What is counted of tasks. Without the feature `metrics` nothing is, and nothing of this is left in the program.
//!
//! The instruments of a definition are made once, with the registry: a recorder must be set before the application is built.

use std::time::Duration;

use crate::domain::{FailureKind, TaskStatus};

/// The instruments of one definition.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    #[cfg(feature = "metrics")]
    own: Option<recorded::Instruments>,
}

#[cfg(not(feature = "metrics"))]
#[allow(clippy::unused_self, reason = "the same calls with and without the feature")]
impl Meters {
    pub(crate) fn of(_: &'static str) -> Self {
        Self::default()
    }

    pub(crate) const fn submitted(&self) {}
    pub(crate) const fn began(&self, _: Duration) {}
    pub(crate) fn ended(&self, _: impl FnOnce() -> Duration, _: Option<FailureKind>) {}
    pub(crate) const fn finished(&self, _: TaskStatus) {}
}

#[cfg(feature = "metrics")]
impl Meters {
    /// Those of the definition of this name.
    pub(crate) fn of(name: &'static str) -> Self {
        Self { own: Some(recorded::Instruments::of(name)) }
    }

    /// A task was submitted.
    pub(crate) fn submitted(&self) {
        if let Some(own) = &self.own {
            own.sent.increment(1);
        }
    }

    /// An attempt begins, so long after its task was due.
    pub(crate) fn began(&self, waited: Duration) {
        if let Some(own) = &self.own {
            own.consumed.increment(1);
            own.waited.record(waited.as_secs_f64());
        }
    }

    /// An attempt ended.
    pub(crate) fn ended(&self, took: impl FnOnce() -> Duration, failure: Option<FailureKind>) {
        if let Some(own) = &self.own {
            own.took(failure).record(took().as_secs_f64());
        }
    }

    /// A run ended.
    pub(crate) fn finished(&self, status: TaskStatus) {
        if let Some(own) = &self.own {
            own.finished(status);
        }
    }
}

#[cfg(feature = "metrics")]
mod recorded {
    use std::sync::{Once, OnceLock};

    use metrics::{Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, histogram};

    use crate::domain::{FailureKind, TaskStatus};

    const KINDS: [(FailureKind, &str); 8] = [
        (FailureKind::Error, "error"),
        (FailureKind::Panic, "panic"),
        (FailureKind::Timeout, "timeout"),
        (FailureKind::Cancelled, "cancelled"),
        (FailureKind::Undecodable, "undecodable"),
        (FailureKind::Result, "result"),
        (FailureKind::Dependency, "dependency"),
        (FailureKind::Crash, "crash"),
    ];

    #[derive(Debug)]
    pub(super) struct Instruments {
        name: &'static str,
        pub(super) sent: Counter,
        pub(super) consumed: Counter,
        pub(super) waited: Histogram,
        took: Histogram,
        /// Made when a kind of failure comes for the first time: most never do.
        failed: [OnceLock<Histogram>; KINDS.len()],
        finished: [Counter; TaskStatus::ALL.len()],
    }

    impl Instruments {
        pub(super) fn of(name: &'static str) -> Self {
            describe();
            Self {
                name,
                sent: counter!("messaging.client.sent.messages", "messaging.system" => "ddd",
                    "messaging.operation.name" => "submit", "ddd.task.name" => name),
                consumed: counter!("messaging.client.consumed.messages", "messaging.system" => "ddd",
                    "messaging.operation.name" => "process", "ddd.task.name" => name),
                waited: histogram!("ddd.task.wait.duration", "ddd.task.name" => name),
                took: histogram!("messaging.process.duration", "messaging.system" => "ddd",
                    "messaging.operation.name" => "process", "ddd.task.name" => name),
                failed: Default::default(),
                finished: TaskStatus::ALL.map(|it| {
                    if it.is_terminal() {
                        counter!("ddd.task.runs", "ddd.task.name" => name, "ddd.task.status" => it.as_str())
                    } else {
                        Counter::noop()
                    }
                }),
            }
        }

        pub(super) fn took(&self, failure: Option<FailureKind>) -> &Histogram {
            let Some(at) = failure.and_then(|kind| KINDS.iter().position(|it| it.0 == kind)) else { return &self.took };
            self.failed[at].get_or_init(|| {
                histogram!("messaging.process.duration", "messaging.system" => "ddd",
                    "messaging.operation.name" => "process", "ddd.task.name" => self.name, "error.type" => KINDS[at].1)
            })
        }

        pub(super) fn finished(&self, status: TaskStatus) {
            if let Some(at) = TaskStatus::ALL.iter().position(|it| *it == status) {
                self.finished[at].increment(1);
            }
        }
    }

    /// Says what each is, once.
    fn describe() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            describe_counter!("messaging.client.sent.messages", Unit::Count, "Tasks submitted by this process.");
            describe_counter!("messaging.client.consumed.messages", Unit::Count, "Attempts begun in this process.");
            describe_histogram!("messaging.process.duration", Unit::Seconds, "How long attempts took.");
            describe_histogram!(
                "ddd.task.wait.duration",
                Unit::Seconds,
                "How long tasks that were due waited for a slot."
            );
            describe_counter!("ddd.task.runs", Unit::Count, "Runs that ended in this process, by status.");
            describe_gauge!("ddd.queue.tasks", Unit::Count, "Tasks of a queue that have not ended, by status.");
            describe_gauge!("ddd.worker.slots", Unit::Count, "How many bodies may run at once in this process.");
            describe_gauge!("ddd.worker.running", Unit::Count, "How many bodies run in this process.");
            describe_counter!("ddd.policy.events", Unit::Count, "What policies have done.");
            describe_gauge!("ddd.policy.state", Unit::Count, "What policies hold now.");
        });
    }
}
