//! The span of a task's attempt: what its log lines and traces have in common.
//!
//! It is at the level of errors, because a span that is left out takes the ids away from every line in it: at `warn`, the
//! warnings of a body would no longer say of which task they are.

use std::sync::OnceLock;

use tracing::{Span, field::Empty, level_filters::LevelFilter};

use super::tracer::adopt_trace;
use crate::{
    domain::{Fence, Name, Origin, TaskId, TraceContext, WorkerId},
    ports::AttemptInfo,
};

static LATE: OnceLock<fn() -> bool> = OnceLock::new();

/// From now on spans of tasks may be made when somebody asks for them, as long as `in_force` says so.
#[cfg(feature = "telemetry")]
pub(crate) fn may_be_late(in_force: fn() -> bool) {
    // There is one subscriber for the life of the process.
    let _ = LATE.set(in_force);
}

/// Whether the subscriber asks for the spans of tasks when it needs them. A body that logs nothing then costs none.
pub(crate) fn is_late() -> bool {
    LATE.get().is_some_and(|it| it())
}

/// What a span says of an attempt.
#[derive(Clone, Debug)]
pub(crate) struct Described {
    pub(crate) id: TaskId,
    pub(crate) name: Name,
    pub(crate) run: u32,
    pub(crate) attempt: u32,
    pub(crate) fence: Fence,
    pub(crate) worker: Option<WorkerId>,
}

impl Described {
    pub(crate) fn of(info: &AttemptInfo, worker: Option<WorkerId>) -> Self {
        let (id, name) = (info.id, info.name.clone());
        Self { id, name, run: info.run, attempt: info.attempt, fence: info.fence, worker }
    }

    /// The span of this attempt.
    pub(crate) fn span(&self, origin: Option<&Origin>) -> Span {
        let traceparent = origin.and_then(|it| it.traceparent.as_deref());
        let span = tracing::error_span!(
            "task",
            task_id = %self.id,
            task_name = &*self.name,
            run = self.run,
            attempt = self.attempt,
            fence = self.fence.get(),
            worker = self.worker.map(tracing::field::display),
            request_id = origin.and_then(|it| it.request_id.as_deref()),
            traceparent,
            otel.name = &*self.name,
            otel.kind = "consumer",
            otel.status_code = Empty,
            otel.status_description = Empty,
        );
        if let Some(context) = traceparent.and_then(TraceContext::parse) {
            adopt_trace(&span, &context);
        }
        span
    }
}

/// The span of an attempt. Where nothing is logged, not even what it says is put together.
pub(crate) fn of(described: impl FnOnce() -> Described, origin: Option<&Origin>) -> Span {
    if LevelFilter::current() == LevelFilter::OFF { Span::none() } else { described().span(origin) }
}

/// Notes in a span that its attempt failed.
pub(crate) fn note_failure(span: &Span, why: &str) {
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", why);
}
