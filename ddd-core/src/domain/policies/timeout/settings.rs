use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{duration::LONGEST, duration_serde::text};

/// The settings of `#[timeout]`. In JSON, durations are texts such as `"2s"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TimeoutSettings {
    /// How long a call may take.
    #[serde(with = "text")]
    pub duration: Duration,
}

impl TimeoutSettings {
    /// A call may take so long.
    #[must_use]
    pub const fn new(duration: Duration) -> Self {
        Self { duration }
    }

    /// What is wrong with them, each in words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        if self.duration.is_zero() {
            return vec![
                "`duration` is zero: only a body that never waits would end in time; write at least 1ms".to_owned(),
            ];
        }
        if self.duration > LONGEST {
            return vec![format!("`duration` is {:?}; write at most `36500d`", self.duration)];
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_is_told() {
        assert!(TimeoutSettings::new(Duration::from_secs(2)).problems().is_empty());
        assert_eq!(TimeoutSettings::new(Duration::ZERO).problems().len(), 1);
        assert_eq!(TimeoutSettings::new(Duration::MAX).problems().len(), 1);
    }
}
