//! Makes a line of each event, with what the spans around it say.

use std::time::{SystemTime, UNIX_EPOCH};

use tracing::{
    Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::{
    fields::Fields,
    line::{Line, LogFormat},
    sink::Sink,
};
use crate::domain::{Timestamp, TraceContext};

/// Writes events as lines.
#[derive(Debug)]
pub(crate) struct LogLayer {
    pub(crate) format: LogFormat,
    pub(crate) sink: Sink,
    /// Tells in which trace and span the caller is, if traces are collected.
    pub(crate) trace: fn() -> Option<TraceContext>,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        // First: what a user's code writes may log as well.
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = span.extensions_mut().remove::<Fields>().unwrap_or_default();
        values.record(&mut fields);
        span.extensions_mut().replace(fields);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let message = own.take("message");
        let spans: Vec<_> = context.event_scope(event).into_iter().flatten().collect();
        let extensions: Vec<_> = spans.iter().map(|it| it.extensions()).collect();
        let mut line =
            Line { at: now(), metadata: event.metadata(), message, fields: Vec::new(), trace: (self.trace)() };
        line.add(&own);
        extensions.iter().filter_map(|it| it.get::<Fields>()).for_each(|it| line.add(it));
        let mut text = String::with_capacity(256);
        line.write(self.format, self.sink.colours, &mut text);
        drop(line);
        drop(extensions);
        self.sink.write(text);
    }
}

/// The system's time: a line says when it was written, also where an application runs in virtual time.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
