use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::duration_serde::text;

/// The settings of `#[bulkhead]`. In JSON, durations are texts such as `"50ms"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BulkheadSettings {
    /// How many calls may run at once.
    pub limit: u32,
    /// How many further calls may wait for one of them to end. Default: 0.
    pub queue: u32,
    /// How long they wait before they are refused. Default: zero, they are refused at once.
    #[serde(with = "text")]
    pub wait: Duration,
}

impl BulkheadSettings {
    /// The largest limit. The runtime's semaphore holds no more on every platform.
    pub const MOST: u32 = (u32::MAX >> 3) - 1;

    /// So many calls at once, and none waits.
    #[must_use]
    pub const fn new(limit: u32) -> Self {
        Self { limit, queue: 0, wait: Duration::ZERO }
    }

    /// With so many calls that wait.
    #[must_use]
    pub const fn queue(mut self, queue: u32) -> Self {
        self.queue = queue;
        self
    }

    /// With calls that wait so long.
    #[must_use]
    pub const fn wait(mut self, longest: Duration) -> Self {
        self.wait = longest;
        self
    }

    /// What is wrong with them, each in words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let wrong = [
            (self.limit == 0, "`limit` is 0: no call would run; write at least 1"),
            (self.limit > Self::MOST, "`limit` is over 536,870,910; write less, or leave the bulkhead out"),
            (
                self.queue > 0 && self.wait.is_zero(),
                "`queue` has no effect without `wait`; write how long a call may wait, as in `wait = \"1s\"`",
            ),
            (
                self.queue == 0 && !self.wait.is_zero(),
                "`wait` has no effect without `queue`; write how many calls may wait, as in `queue = 10`",
            ),
        ];
        wrong.into_iter().filter(|it| it.0).map(|it| it.1.to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_is_told() {
        let good = BulkheadSettings::new(10).queue(5).wait(Duration::from_secs(1));
        assert!(good.problems().is_empty());
        assert!(BulkheadSettings::new(10).problems().is_empty());
        let wrong = [
            good.clone().queue(0),
            good.wait(Duration::ZERO),
            BulkheadSettings::new(0),
            BulkheadSettings::new(u32::MAX),
        ];
        for settings in wrong {
            assert_eq!(settings.problems().len(), 1, "{settings:?}: {:?}", settings.problems());
        }
    }
}
