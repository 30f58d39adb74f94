use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Sleep, sleep};

use super::{
    super::{ambient, state_cell::Held},
    state::{State, count},
};
use crate::domain::{Attempt, End, Moment, Step};

/// The attempts of one call.
pub struct Attempts {
    policy: &'static str,
    state: Held<State>,
    /// How many have begun.
    number: u32,
    began: Option<Moment>,
}

/// What follows an attempt.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "generated code matches on both")]
pub enum Next {
    /// Nothing: its value is the call's.
    Done,
    /// Another attempt, after this pause.
    After(Pause),
}

/// The time between two attempts.
///
/// Boxed: the calls that pause are few, and those that do not carry a pointer instead of a timer.
pub struct Pause(Pin<Box<Sleep>>);

impl Attempts {
    /// The first one begins.
    #[inline]
    pub(super) fn start(policy: &'static str, state: Held<State>) -> Self {
        let began = state.begin();
        Self { policy, state, number: 1, began }
    }

    /// An attempt ended so.
    #[inline]
    pub fn after(&mut self, ended: Attempt) -> Next {
        match ended {
            Attempt::Done => {
                self.done();
                Next::Done
            }
            Attempt::Final => {
                count(&self.state.rare.not_retryable);
                Next::Done
            }
            Attempt::Failed { retry_after } => self.failed(retry_after),
        }
    }

    #[inline]
    fn done(&self) {
        if self.number > 1 {
            count(&self.state.rare.recovered);
        }
        if let Some(budget) = &self.state.budget {
            budget.give();
        }
    }

    #[cold]
    fn failed(&mut self, retry_after: Option<Duration>) -> Next {
        let settings = self.state.settings();
        // Whoever set a limit after the call began gets it from now on.
        let elapsed = match (settings.max_elapsed, self.began) {
            (None, _) => Duration::ZERO,
            (Some(_), began) => {
                let now = ambient::now();
                now - *self.began.insert(began.unwrap_or(now))
            }
        };
        let pause = match settings.step(self.number, elapsed, retry_after, fastrand::f64()) {
            Step::Again(pause) => pause,
            Step::End(why) => return self.give_up(why),
        };
        if let Some(budget) = &self.state.budget
            && !budget.take(ambient::now())
        {
            count(&self.state.rare.out_of_budget);
            tracing::debug!(policy = self.policy, attempt = self.number, "no retry: the budget is used up");
            return Next::Done;
        }
        count(&self.state.rare.retries);
        tracing::debug!(
            policy = self.policy,
            attempt = self.number,
            ?pause,
            "an attempt failed, and another one follows"
        );
        self.number += 1;
        Next::After(Pause(Box::pin(sleep(pause))))
    }

    fn give_up(&self, why: End) -> Next {
        let (counter, reason) = match why {
            End::Attempts => (&self.state.rare.out_of_attempts, "there were as many attempts as there may be"),
            End::Time => (&self.state.rare.out_of_time, "another attempt would begin too late"),
        };
        count(counter);
        tracing::debug!(policy = self.policy, attempt = self.number, reason, "no retry");
        Next::Done
    }
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempts").field("policy", &self.policy).field("number", &self.number).finish_non_exhaustive()
    }
}

impl fmt::Debug for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pause").finish_non_exhaustive()
    }
}
