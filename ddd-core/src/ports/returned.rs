//! What generated code calls around a body: kept out of the expansion, so that it is compiled once and reads as code.

use std::{
    fmt::{self, Display},
    future::Future,
    marker::PhantomData,
    sync::Arc,
};

use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Body, BodyFuture, BodyResult, BoxError, Call, Definition, Dependency, Failure, FailureOutcome, InvalidParams, Keys,
    Schemas, Task, TaskReturn, decode::members_of, json,
};
use crate::domain::{Classify, FailureKind, Options};

/// The definition of the task `T`.
#[allow(clippy::too_many_arguments, reason = "generated code names them all, in this order")]
#[must_use]
pub const fn definition<T: Task + JsonSchema>(
    name: &'static str,
    doc: &'static str,
    place: (&'static str, &'static str, u32),
    options: Options,
    body: Body,
    check: fn(&RawValue) -> Result<Keys, InvalidParams>,
    dependencies: &'static [Dependency],
    secrets: &'static [&'static str],
) -> Definition {
    Definition::new(name, doc, place, options, body, check, schemas::<T>, dependencies, secrets)
}

/// Reads parameters as a `T`, and tells their keys.
///
/// # Errors
/// They do not fit, or break a rule.
pub fn check<T: Task>(params: &RawValue) -> Result<Keys, InvalidParams> {
    match T::from_params(params) {
        Ok(task) => match task.validate() {
            Ok(()) => Ok(task.keys()),
            Err(error) => Err(error.hiding(T::definition().secrets)),
        },
        Err(error) => Err(error.hiding(T::definition().secrets)),
    }
}

/// The same for a task without rules and keys.
///
/// # Errors
/// They do not fit.
pub fn check_shape<T: Task>(params: &RawValue) -> Result<Keys, InvalidParams> {
    match T::from_params(params) {
        Ok(_) => Ok(Keys::default()),
        Err(error) => Err(error.hiding(T::definition().secrets)),
    }
}

/// The schemas of the task `T`.
fn schemas<T: Task + JsonSchema>(generator: &mut SchemaGenerator) -> Schemas {
    Schemas::new(T::json_schema(generator), T::Output::json_schema(generator))
}

/// An asynchronous body on the heap; `convert` tells what an error means.
///
/// The `async` block stands here, not in generated code: there, each task would be one more for its user's build to check.
pub fn boxed<R: TaskReturn>(
    body: impl Future<Output = R> + Send + 'static,
    convert: fn(R::Error) -> Failure,
) -> BodyFuture {
    let body: Box<dyn Future<Output = BodyResult> + Send> = Box::new(async move { settle(body.await, convert) });
    Box::into_pin(body)
}

/// A body that ends before it begins.
#[must_use]
pub fn failed(failure: impl Into<Failure>) -> BodyFuture {
    Box::pin(std::future::ready(Err(failure.into())))
}

/// What the application provides of type `T`, as a value of the body's own.
///
/// # Errors
/// It provides none.
pub fn injected<T: Clone + Send + Sync + 'static>(call: &Call) -> Result<T, Failure> {
    call.dependency().map(Arc::unwrap_or_clone)
}

/// What a body returned, as the worker takes it; `convert` tells what an error means.
///
/// # Errors
/// The body failed, or its result cannot be written as JSON.
pub fn settle<R: TaskReturn>(returned: R, convert: fn(R::Error) -> Failure) -> BodyResult {
    match returned.into_result() {
        Ok(result) => encode(&result),
        Err(error) => Err(convert(error)),
    }
}

/// A result as JSON, `None` for `null`.
fn encode<T: Serialize>(result: &T) -> BodyResult {
    json::written_unless_null(result)
        .map_err(|it| Failure::permanent(FailureKind::Result, format!("the result cannot be written as JSON: {it}")))
}

/// A key as text: strings as they are, all else as JSON. `None` if it is `null`, or cannot be written.
pub fn key<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    match serde_json::to_value(value).ok()? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// The key of a task that is unique by all its parameters: their JSON.
#[must_use]
pub fn unique_by_params<T: Task>(task: &T) -> Option<String> {
    serde_json::to_string(task).ok()
}

/// Writes a task for people: its parameters, the secret ones as `***`.
///
/// # Errors
/// The formatter failed.
pub fn debug<T: Task>(task: &T, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    debug_json(name, T::definition().secrets, &serde_json::to_string(task).unwrap_or_default(), f)
}

fn debug_json(name: &str, secrets: &[&str], params: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    for (key, value) in members_of(params) {
        let value = if secrets.contains(&&*key) { "***" } else { value };
        shown.field(&key, &format_args!("{value}"));
    }
    shown.finish()
}

/// The first rule that parameters break, of those that a validation reports as paths and errors.
#[must_use]
pub fn first_violation<'a, P: Display + 'a, E: Display + 'a>(
    violations: impl IntoIterator<Item = &'a (P, E)>,
) -> InvalidParams {
    match violations.into_iter().next() {
        Some((path, error)) => InvalidParams::new(path.to_string(), error.to_string()),
        None => InvalidParams::new("", "a rule is broken"),
    }
}

/// Picks how an error becomes a failure by what its type implements: [`ByKind`] if it is [`Classify`], else [`ByText`].
///
/// In `(&&ErrorTag::<E>::new()).convert()`, method resolution tries `&ErrorTag<E>` as `Self` first, then (by reference)
/// `&&ErrorTag<E>`, then (dereferenced) `ErrorTag<E>`: the first wins whose bounds hold.
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
    /// How one becomes a failure: final if its kind cannot be retried.
    fn convert(&self) -> fn(E) -> Failure;
}

impl<E: Classify + Into<BoxError>> ByKind<E> for &ErrorTag<E> {
    fn convert(&self) -> fn(E) -> Failure {
        |error| {
            let kind = error.kind();
            let mut failure = Failure::of_error(&*error.into());
            if failure.outcome == FailureOutcome::Retry && !kind.is_retryable() {
                failure.outcome = FailureOutcome::Permanent;
            }
            failure
        }
    }
}

/// For all other errors.
pub trait ByText<E> {
    /// How one becomes a failure: retried as the settings say.
    fn convert(&self) -> fn(E) -> Failure;
}

impl<E: Into<BoxError>> ByText<E> for &&ErrorTag<E> {
    fn convert(&self) -> fn(E) -> Failure {
        |error| Failure::of_error(&*error.into())
    }
}

/// For types that are no errors. A task cannot return them ([`TaskReturn`] says so), so this never runs: it is there lest
/// the compiler add to that a complaint about a method that its user has never heard of.
pub trait ByNothing<E> {
    /// How one would become a failure.
    fn convert(&self) -> fn(E) -> Failure;
}

impl<E> ByNothing<E> for ErrorTag<E> {
    fn convert(&self) -> fn(E) -> Failure {
        |_| Failure::new(FailureKind::Error, "the type of the error is no error".to_owned())
    }
}
