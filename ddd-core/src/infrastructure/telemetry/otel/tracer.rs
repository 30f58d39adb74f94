//! Between our contexts and those of OpenTelemetry.

use opentelemetry::{
    Context, SpanId, TraceFlags, TraceId,
    trace::{SpanContext, TraceContextExt as _, TraceState},
};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{domain::TraceContext, ports::Tracer};

/// Knows of traces what OpenTelemetry knows.
#[derive(Debug)]
pub(crate) struct OtelTracer;

impl Tracer for OtelTracer {
    fn adopt(&self, span: &tracing::Span, context: &TraceContext) {
        let flags = if context.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
        let (trace, parent) = (TraceId::from(context.trace()), SpanId::from(context.span()));
        let parent = SpanContext::new(trace, parent, flags, true, TraceState::NONE);
        // An error says that the span is left out, or was begun: then it stays what it is.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }

    fn current(&self) -> Option<TraceContext> {
        current()
    }
}

/// The span that is entered here.
pub(crate) fn current() -> Option<TraceContext> {
    let context = Context::current();
    let span = context.span();
    let here = span.span_context();
    let (trace, span) =
        (u128::from_be_bytes(here.trace_id().to_bytes()), u64::from_be_bytes(here.span_id().to_bytes()));
    TraceContext::new(trace, span, here.is_sampled())
}
