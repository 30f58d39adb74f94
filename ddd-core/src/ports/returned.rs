//! What generated code calls around a body: kept out of the expansion, so that it is compiled once and reads as code.

use std::marker::PhantomData;

use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{BoxError, Failure, FailureOutcome, InvalidParams, Keys, Schemas, Task, TaskReturn};
use crate::domain::{Classify, FailureKind};

/// Reads parameters as a `T`, and tells their keys.
///
/// # Errors
/// They do not fit, or break a rule.
pub fn check<T: Task>(params: &RawValue) -> Result<Keys, InvalidParams> {
    let task: T = InvalidParams::decode(params)?;
    task.validate()?;
    Ok(task.keys())
}

/// The schemas of the task `T` whose function returns `R`.
pub fn schemas<T: JsonSchema, R: TaskReturn>(generator: &mut SchemaGenerator) -> Schemas {
    Schemas::new(T::json_schema(generator), R::Output::json_schema(generator))
}

/// A result as JSON, `None` for `null`.
///
/// # Errors
/// It cannot be written as JSON.
pub fn encode<T: Serialize>(result: &T) -> Result<Option<Box<RawValue>>, Failure> {
    let json = serde_json::value::to_raw_value(result)
        .map_err(|it| Failure::permanent(FailureKind::Result, format!("the result cannot be written as JSON: {it}")))?;
    Ok((json.get() != "null").then_some(json))
}

/// The key of a task that is unique by all its parameters: their JSON.
#[must_use]
pub fn unique_by_params<T: Task>(task: &T) -> Option<String> {
    serde_json::to_string(task).ok()
}

/// Picks how an error becomes a failure by what its type implements: [`ByKind`] if it is [`Classify`], else [`ByText`].
///
/// Method resolution tries `&ErrorTag<E>` before `&&ErrorTag<E>`, so in `(&ErrorTag::<E>::new()).failure(error)` the first
/// wins where its bounds hold.
#[derive(Debug)]
pub struct ErrorTag<E>(PhantomData<E>);

impl<E> ErrorTag<E> {
    /// The tag of `E`.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "generated code calls it by name")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// For errors that know their kind.
pub trait ByKind<E> {
    /// The failure; final if its kind cannot be retried.
    fn failure(&self, error: E) -> Failure;
}

impl<E: Classify + Into<BoxError>> ByKind<E> for ErrorTag<E> {
    fn failure(&self, error: E) -> Failure {
        let kind = error.kind();
        let mut failure = Failure::of_error(&*error.into());
        if failure.outcome == FailureOutcome::Retry && !kind.is_retryable() {
            failure.outcome = FailureOutcome::Permanent;
        }
        failure
    }
}

/// For all other errors.
pub trait ByText<E> {
    /// The failure; retried as the settings say.
    fn failure(&self, error: E) -> Failure;
}

impl<E: Into<BoxError>> ByText<E> for &ErrorTag<E> {
    fn failure(&self, error: E) -> Failure {
        Failure::of_error(&*error.into())
    }
}
