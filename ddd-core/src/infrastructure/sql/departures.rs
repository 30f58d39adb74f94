use std::time::Duration;

use crate::domain::Timestamp;

/// Over how long departures are counted.
const WINDOW: Duration = Duration::from_secs(10);
const SHORTEST_HINT: Duration = Duration::from_secs(1);
const LONGEST_HINT: Duration = Duration::from_secs(60);

/// How many tasks of a queue this process took in the present window and the one before it. A hint needs no more.
#[derive(Debug, Default)]
pub(crate) struct Departures {
    began: Timestamp,
    now: u32,
    before: u32,
}

impl Departures {
    pub(crate) fn add(&mut self, now: Timestamp) {
        let age = now.since(self.began);
        if age >= WINDOW {
            self.before = if age < 2 * WINDOW { self.now } else { 0 };
            self.now = 0;
            self.began = now;
        }
        self.now = self.now.saturating_add(1);
    }

    /// How long it takes, as of late, until one place becomes free.
    pub(crate) fn retry_after(&self, now: Timestamp) -> Duration {
        let age = now.since(self.began);
        let interval = match self.now.saturating_add(self.before) {
            0 => LONGEST_HINT,
            _ if age > 2 * WINDOW => LONGEST_HINT,
            count => (age + WINDOW) / count,
        };
        interval.clamp(SHORTEST_HINT, LONGEST_HINT)
    }
}
