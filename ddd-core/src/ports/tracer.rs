use crate::domain::TraceContext;

/// What knows in which trace this process is: telemetry implements it, where traces are collected.
pub trait Tracer: Send + Sync + 'static {
    /// Makes `span`, which has just been made and was not entered yet, a part of a trace that began elsewhere.
    fn adopt(&self, span: &tracing::Span, context: &TraceContext);

    /// The place in the trace where the caller is; `None` outside of any.
    fn current(&self) -> Option<TraceContext>;
}
