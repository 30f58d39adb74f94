use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::domain::{
    Retry,
    duration_serde::{text, text_or_null},
};

use super::attempt::{End, Step};

/// What `#[retry]` can say.
///
/// The pause after the attempt numbered n is drawn evenly from zero to `delay × backoffⁿ⁻¹`, at most `max_delay`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RetrySettings {
    /// How often the body runs at most, the first run counted. Default 3.
    pub max_attempts: u32,
    /// The upper bound of the pause after the first attempt. Default 1 s.
    #[serde(with = "text")]
    pub delay: Duration,
    /// By what the bound grows with each attempt. Default 2.
    pub backoff: f64,
    /// What a pause never exceeds. Default 30 s.
    #[serde(with = "text")]
    pub max_delay: Duration,
    /// Whether the pause is drawn from zero to its bound (`true`, the default), or is the bound itself.
    pub jitter: bool,
    /// In how long after the start of the call the last attempt must begin. Default: no limit.
    #[serde(with = "text_or_null")]
    pub max_elapsed: Option<Duration>,
    /// The name of the budget that the retries are taken from. Default: none, so nothing but `max_attempts` bounds them.
    #[serde(skip_deserializing)]
    pub budget: Option<&'static str>,
}

impl RetrySettings {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_attempts: 3,
            delay: Duration::from_secs(1),
            backoff: 2.0,
            max_delay: Duration::from_secs(30),
            jitter: true,
            max_elapsed: None,
            budget: None,
        }
    }

    /// For calls over a network: the defaults.
    #[must_use]
    pub const fn network() -> Self {
        Self::new()
    }

    /// For calls of a database: 3 attempts, pauses of up to 500 ms that grow by half, at most 10 s.
    #[must_use]
    pub const fn database() -> Self {
        Self::new().delay(Duration::from_millis(500)).backoff(1.5).max_delay(Duration::from_secs(10))
    }

    /// For calls of somebody else's service: 5 attempts, pauses of up to 2 s that double, at most 60 s.
    #[must_use]
    pub const fn external_api() -> Self {
        Self::new().max_attempts(5).delay(Duration::from_secs(2)).max_delay(Duration::from_secs(60))
    }

    /// With so many attempts at most, the first one counted.
    #[must_use]
    pub const fn max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts;
        self
    }

    /// With this bound of the first pause.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// With this growth of the bound.
    #[must_use]
    pub const fn backoff(mut self, factor: f64) -> Self {
        self.backoff = factor;
        self
    }

    /// With this longest pause.
    #[must_use]
    pub const fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// With jitter or without.
    #[must_use]
    pub const fn jitter(mut self, jitter: bool) -> Self {
        self.jitter = jitter;
        self
    }

    /// With a time in which the last attempt must begin.
    #[must_use]
    pub const fn max_elapsed(mut self, max_elapsed: Duration) -> Self {
        self.max_elapsed = Some(max_elapsed);
        self
    }

    /// With the budget of this name.
    #[must_use]
    pub const fn budget(mut self, name: &'static str) -> Self {
        self.budget = Some(name);
        self
    }

    /// What is wrong with them, each in words.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.max_attempts == 0 {
            problems.push("`max_attempts` is 0; write how often the body may run, 1 or more".to_owned());
        }
        if !self.backoff.is_finite() || self.backoff < 1.0 {
            problems.push(format!("`backoff` is {}; write 1.0 for equal pauses, more for growing ones", self.backoff));
        }
        if self.delay > self.max_delay {
            problems.push("`delay` is longer than `max_delay`; write a longer `max_delay`".to_owned());
        }
        if self.max_elapsed == Some(Duration::ZERO) {
            problems
                .push("`max_elapsed` is zero, so nothing could be tried again; write `max_attempts = 1`".to_owned());
        }
        if self.budget == Some("") {
            problems.push("`budget` is empty; write the name of a budget, or leave it out".to_owned());
        }
        problems
    }

    /// What follows the attempt numbered `attempt` (from 1), which failed `elapsed` after the call began and may have been
    /// told to come back in `retry_after`; `random` is in 0.0..1.0.
    ///
    /// A `retry_after` is waited for, plus what of the drawn pause `max_delay` leaves room for, so that those who were told
    /// the same do not come back at once. One that is longer than `max_delay` ends the call.
    #[must_use]
    pub fn step(&self, attempt: u32, elapsed: Duration, retry_after: Option<Duration>, random: f64) -> Step {
        if attempt >= self.max_attempts {
            return Step::End(End::Attempts);
        }
        let told = retry_after.unwrap_or_default();
        if told > self.max_delay {
            return Step::End(End::Time);
        }
        let drawn = self.arithmetic().delay_after(attempt, random);
        let pause = told.saturating_add(drawn).min(self.max_delay);
        match self.max_elapsed {
            Some(most) if elapsed.saturating_add(pause) > most => Step::End(End::Time),
            _ => Step::Again(pause),
        }
    }

    /// The same pauses as a task's.
    const fn arithmetic(&self) -> Retry {
        Retry {
            max_attempts: self.max_attempts,
            delay: self.delay,
            backoff: self.backoff,
            max_delay: self.max_delay,
            jitter: self.jitter,
        }
    }
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self::new()
    }
}
