//! Which calls failed, as far as retries and circuit breakers are concerned.
//!
//! A refusal by a policy inside is no failure of what is called; that it took too long is.

use std::{fmt, marker::PhantomData};

use super::shape::Shape;
use crate::{
    domain::{Attempt, Classify, ErrorKind, Refused, RefusedKind, Verdict},
    ports::Refusal,
};

/// Judges by the kind of the error.
pub struct JudgeByKind<T, E>(PhantomData<fn() -> (T, E)>);

/// Judges every error alike.
pub struct JudgeByError<T, E>(PhantomData<fn() -> (T, E)>);

/// Leaves it to the user.
pub struct JudgeByUser<R>(PhantomData<fn() -> R>);

/// For a `Result` whose error knows its kind.
pub trait JudgeOfClassified<T, E> {
    /// Its judge.
    fn judge(&self) -> JudgeByKind<T, E>;
}

impl<T, E: Classify> JudgeOfClassified<T, E> for &&Shape<Result<T, E>> {
    fn judge(&self) -> JudgeByKind<T, E> {
        JudgeByKind(PhantomData)
    }
}

/// For every other `Result`.
pub trait JudgeOfResult<T, E> {
    /// Its judge.
    fn judge(&self) -> JudgeByError<T, E>;
}

impl<T, E> JudgeOfResult<T, E> for &Shape<Result<T, E>> {
    fn judge(&self) -> JudgeByError<T, E> {
        JudgeByError(PhantomData)
    }
}

/// For all other types.
pub trait JudgeOfAny<R> {
    /// Its judge.
    fn judge(&self) -> JudgeByUser<R>;
}

impl<R> JudgeOfAny<R> for Shape<R> {
    fn judge(&self) -> JudgeByUser<R> {
        JudgeByUser(PhantomData)
    }
}

impl<T, E: Classify> JudgeByKind<T, E> {
    /// How a call ended, for a circuit breaker: what a caller did wrong says nothing of what is called.
    pub fn verdict<X: Refusal>(&self, outcome: &Result<Result<T, E>, X>) -> Verdict {
        self.verdict_when(outcome, |error| {
            matches!(
                error.kind(),
                ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Internal | ErrorKind::RateLimited
            )
        })
    }

    /// The same where the user says which errors count.
    pub fn verdict_when<X: Refusal>(
        &self,
        outcome: &Result<Result<T, E>, X>,
        when: impl FnOnce(&E) -> bool,
    ) -> Verdict {
        verdict(outcome, |it| it.as_ref().err().map(when))
    }

    /// How an attempt ended, for a retry.
    pub fn attempt<X: Refusal>(&self, outcome: &Result<Result<T, E>, X>) -> Attempt {
        self.attempt_when(outcome, |error| error.kind().is_retryable())
    }

    /// The same where the user says which errors another attempt can mend.
    pub fn attempt_when<X: Refusal>(
        &self,
        outcome: &Result<Result<T, E>, X>,
        when: impl FnOnce(&E) -> bool,
    ) -> Attempt {
        match attempt(outcome, |it| it.as_ref().err().map(when)) {
            Attempt::Failed { .. } => {
                let error = outcome.as_ref().ok().and_then(|it| it.as_ref().err());
                Attempt::Failed { retry_after: error.and_then(Classify::retry_after) }
            }
            other => other,
        }
    }
}

impl<T, E> JudgeByError<T, E> {
    /// How a call ended, for a circuit breaker: every error counts.
    pub fn verdict<X: Refusal>(&self, outcome: &Result<Result<T, E>, X>) -> Verdict {
        self.verdict_when(outcome, |_| true)
    }

    /// The same where the user says which errors count.
    pub fn verdict_when<X: Refusal>(
        &self,
        outcome: &Result<Result<T, E>, X>,
        when: impl FnOnce(&E) -> bool,
    ) -> Verdict {
        verdict(outcome, |it| it.as_ref().err().map(when))
    }

    /// How an attempt ended, for a retry: another one can mend every error.
    pub fn attempt<X: Refusal>(&self, outcome: &Result<Result<T, E>, X>) -> Attempt {
        self.attempt_when(outcome, |_| true)
    }

    /// The same where the user says which errors another attempt can mend.
    pub fn attempt_when<X: Refusal>(
        &self,
        outcome: &Result<Result<T, E>, X>,
        when: impl FnOnce(&E) -> bool,
    ) -> Attempt {
        attempt(outcome, |it| it.as_ref().err().map(when))
    }
}

impl<R> JudgeByUser<R> {
    /// How a call ended, for a circuit breaker: a value is no failure.
    pub fn verdict<X: Refusal>(&self, outcome: &Result<R, X>) -> Verdict {
        verdict(outcome, |_| None)
    }

    /// The same where the user says which values are.
    pub fn verdict_when<X: Refusal>(&self, outcome: &Result<R, X>, when: impl FnOnce(&R) -> bool) -> Verdict {
        verdict(outcome, |it| when(it).then_some(true))
    }

    /// How an attempt ended, for a retry: a value is no failure.
    pub fn attempt<X: Refusal>(&self, outcome: &Result<R, X>) -> Attempt {
        attempt(outcome, |_| None)
    }

    /// The same where the user says after which values another attempt follows.
    pub fn attempt_when<X: Refusal>(&self, outcome: &Result<R, X>, when: impl FnOnce(&R) -> bool) -> Attempt {
        attempt(outcome, |it| when(it).then_some(true))
    }
}

/// `failed` says of a value: `None`, it is good; else whether what is wrong with it counts.
fn verdict<R, X: Refusal>(outcome: &Result<R, X>, failed: impl FnOnce(&R) -> Option<bool>) -> Verdict {
    match outcome {
        Ok(value) => match failed(value) {
            None => Verdict::Good,
            Some(true) => Verdict::Failed,
            Some(false) => Verdict::Ignored,
        },
        Err(refusal) if took_too_long(&refusal.to_refused()) => Verdict::Failed,
        Err(_) => Verdict::Ignored,
    }
}

fn attempt<R, X: Refusal>(outcome: &Result<R, X>, failed: impl FnOnce(&R) -> Option<bool>) -> Attempt {
    match outcome {
        Ok(value) => match failed(value) {
            None => Attempt::Done,
            Some(true) => Attempt::Failed { retry_after: None },
            Some(false) => Attempt::Final,
        },
        Err(refusal) if took_too_long(&refusal.to_refused()) => Attempt::Failed { retry_after: None },
        Err(_) => Attempt::Final,
    }
}

fn took_too_long(refused: &Refused) -> bool {
    refused.kind == RefusedKind::TimedOut
}

macro_rules! debug {
    ($($judge:ident<$($param:ident),*>),*) => {
        $(impl<$($param),*> fmt::Debug for $judge<$($param),*> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($judge))
            }
        })*
    };
}
debug!(JudgeByKind<T, E>, JudgeByError<T, E>, JudgeByUser<R>);
