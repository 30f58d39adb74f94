//! What knows of traces, where they are collected.

use std::sync::{Arc, OnceLock};

use crate::{domain::TraceContext, ports::Tracer};

static TRACER: OnceLock<Arc<dyn Tracer>> = OnceLock::new();

/// From now on traces are collected. Only the first call counts.
#[cfg(feature = "otel")]
pub(crate) fn set_tracer(tracer: Arc<dyn Tracer>) {
    // There is one for the life of the process, as there is one subscriber.
    let _ = TRACER.set(tracer);
}

/// The place in the trace where the caller is, if traces are collected.
pub(crate) fn collected() -> Option<TraceContext> {
    TRACER.get()?.current()
}

/// Makes a span a part of a trace that began elsewhere, such as that of a request's header `traceparent`. Call it right
/// after the span is made, before anything enters it. Does nothing unless traces are collected.
pub fn adopt_trace(span: &tracing::Span, context: &TraceContext) {
    if let Some(tracer) = TRACER.get() {
        tracer.adopt(span, context);
    }
}
