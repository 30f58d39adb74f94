//! In which trace something is: what a request brings along, its tasks, their attempts and their tasks have.

use super::{current, tracer::collected};
use crate::domain::TraceContext;

/// The place in the trace where the caller is: the span that it is in, if traces are collected; else what the running task
/// was submitted with. `None` if there is no trace.
///
/// It is what a service sends along as `traceparent` when it calls another:
///
/// ```
/// let mut headers = Vec::new();
/// if let Some(context) = ddd_core::current_trace() {
///     headers.push(("traceparent", context.to_string()));
/// }
/// # assert!(headers.is_empty());
/// ```
#[must_use]
pub fn current_trace() -> Option<TraceContext> {
    collected().or_else(current::trace)
}
