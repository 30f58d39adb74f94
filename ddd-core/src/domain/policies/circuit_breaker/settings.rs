use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::duration_serde::{text, text_or_null};

use super::{recent::Totals, window::Window};

/// What `#[circuit_breaker]` can say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CircuitBreakerSettings {
    /// Which part of the calls in the window must fail for the circuit to open: above 0, at most 1. Default 0.5.
    pub failure_rate: f64,
    /// Which calls count. Default: the last 100.
    pub window: Window,
    /// How many calls there must be in the window for the circuit to open. Default 10.
    pub min_calls: u32,
    /// From what length on a call is slow. Default: none is.
    #[serde(with = "text_or_null")]
    pub slow_call: Option<Duration>,
    /// Which part of the calls in the window must be slow for the circuit to open: above 0, at most 1. Default 1.
    pub slow_rate: f64,
    /// For how long an open circuit refuses every call. Default 60 s.
    #[serde(with = "text")]
    pub open_for: Duration,
    /// How many calls a half-open circuit lets through before it decides. Default 3.
    pub probes: u32,
}

impl CircuitBreakerSettings {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            failure_rate: 0.5,
            window: Window::Calls(100),
            min_calls: 10,
            slow_call: None,
            slow_rate: 1.0,
            open_for: Duration::from_secs(60),
            probes: 3,
        }
    }

    /// With this part of the calls that must fail.
    #[must_use]
    pub const fn failure_rate(mut self, rate: f64) -> Self {
        self.failure_rate = rate;
        self
    }

    /// With a window of so many calls.
    #[must_use]
    pub const fn window_calls(mut self, calls: u32) -> Self {
        self.window = Window::Calls(calls);
        self
    }

    /// With a window of so long.
    #[must_use]
    pub const fn window_time(mut self, time: Duration) -> Self {
        self.window = Window::Time(time);
        self
    }

    /// With so many calls that there must be.
    #[must_use]
    pub const fn min_calls(mut self, calls: u32) -> Self {
        self.min_calls = calls;
        self
    }

    /// With a length from which on a call is slow.
    #[must_use]
    pub const fn slow_call(mut self, length: Duration) -> Self {
        self.slow_call = Some(length);
        self
    }

    /// With this part of the calls that must be slow.
    #[must_use]
    pub const fn slow_rate(mut self, rate: f64) -> Self {
        self.slow_rate = rate;
        self
    }

    /// Open for so long.
    #[must_use]
    pub const fn open_for(mut self, time: Duration) -> Self {
        self.open_for = time;
        self
    }

    /// With so many probes.
    #[must_use]
    pub const fn probes(mut self, probes: u32) -> Self {
        self.probes = probes;
        self
    }

    /// What is wrong with them, each in words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, rate) in [("failure_rate", self.failure_rate), ("slow_rate", self.slow_rate)] {
            if !(rate > 0.0 && rate <= 1.0) {
                problems.push(format!("`{name}` is {rate}; write a part above 0 and at most 1, such as `0.5`"));
            }
        }
        problems.extend(self.window.problem());
        if self.min_calls == 0 {
            problems.push("`min_calls` is 0; write 1 or more".to_owned());
        }
        if let Window::Calls(window) = self.window
            && window < self.min_calls
        {
            let problem = "so many calls are never in the window, and the circuit would never open";
            problems.push(format!("`min_calls` is {} and `window` is {window}: {problem}", self.min_calls));
        }
        if self.slow_call == Some(Duration::ZERO) {
            problems.push("`slow_call` is zero, so every call would be slow; write a longer time".to_owned());
        }
        if self.open_for.is_zero() {
            problems.push("`open_for` is zero, so the circuit would never be open; write a longer time".to_owned());
        }
        if self.probes == 0 {
            problems.push("`probes` is 0, so the circuit would stay open for ever; write 1 or more".to_owned());
        }
        problems
    }

    /// Whether so many calls failed, or were slow, that the circuit opens.
    pub(super) fn is_too_bad(&self, totals: Totals) -> bool {
        totals.calls >= u64::from(self.min_calls)
            && (reaches(totals.failed, totals.calls, self.failure_rate)
                || self.slow_call.is_some() && reaches(totals.slow, totals.calls, self.slow_rate))
    }

    /// The same for probes, of which `totals` have ended. `None` as long as those that are missing can decide it.
    pub(super) fn are_probes_too_bad(&self, totals: Totals) -> Option<bool> {
        let all = u64::from(self.probes);
        let missing = all.saturating_sub(totals.calls);
        let (failed, slow) = (totals.failed, totals.slow);
        let reached = |failed, slow| {
            reaches(failed, all, self.failure_rate) || self.slow_call.is_some() && reaches(slow, all, self.slow_rate)
        };
        match (reached(failed, slow), reached(failed + missing, slow + missing)) {
            (true, _) => Some(true),
            (false, false) => Some(false),
            (false, true) => None,
        }
    }
}

impl Default for CircuitBreakerSettings {
    fn default() -> Self {
        Self::new()
    }
}

/// Divided, not multiplied: a quotient is rounded to the very number that a rate such as 0.1 is written as.
fn reaches(part: u64, whole: u64, rate: f64) -> bool {
    part as f64 / whole as f64 >= rate
}
