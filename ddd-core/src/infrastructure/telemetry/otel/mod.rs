//! Traces and metrics over OTLP.
//!
//! What is exported is collected in bounded queues, and sent by threads of its own: a collector that is slow or away costs
//! what it should have been sent, and holds nothing up.

mod client;
mod export;
mod recorder;
mod series;
mod tracer;

use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{Registry, layer::Layered, layer::SubscriberExt as _};

pub use export::Otlp;
pub(crate) use export::{About, Exported};
pub(crate) use recorder::OtelRecorder;
pub(crate) use tracer::{OtelTracer, current};

use super::{filter::Filter, layer::LogLayer};

type Spans = OpenTelemetryLayer<Registry, opentelemetry_sdk::trace::SdkTracer>;

/// Writes lines, and exports spans.
pub(crate) fn lines_and_spans(
    exported: &Exported,
    log: LogLayer,
    filter: Filter,
) -> Layered<Filter, Layered<LogLayer, Layered<Spans, Registry>>> {
    // Threads and places in the code are of no use to who reads traces, and cost attributes on each span.
    let spans = tracing_opentelemetry::layer().with_tracer(exported.tracer()).with_threads(false).with_location(false);
    Registry::default().with(spans).with(log).with(filter)
}
