//! Makes the spans of tasks when somebody asks for them.
//!
//! The span of a task costs a third of what the engine spends on it, and most tasks log nothing. So the engine only notes
//! what the span would say, and this subscriber has it made before anything looks for the current span: an event, a new
//! span, the entry of another, or `Span::current()`.

use tracing::{
    Dispatch, Event, Metadata, Subscriber, dispatcher,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_core::span::Current;

/// A subscriber, before which the span of the task that runs here is made.
#[derive(Debug)]
pub(crate) struct Late<S> {
    pub(crate) inner: S,
    pub(crate) make_span: fn(),
}

/// Whether events go to a subscriber of this kind, and spans that are made for one reach it: not if it stands in for another
/// for a time, because then events within events go nowhere.
pub(crate) fn is_in_force<S: Subscriber>() -> bool {
    let is_late = |it: &Dispatch| it.is::<Late<S>>();
    dispatcher::get_default(|outer| is_late(outer) && dispatcher::get_default(is_late))
}

impl<S: Subscriber> Subscriber for Late<S> {
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.inner.on_register_dispatch(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.inner.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.inner.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.inner.max_level_hint()
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        (self.make_span)();
        self.inner.new_span(attributes)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.inner.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.inner.record_follows_from(span, follows);
    }

    fn event_enabled(&self, event: &Event<'_>) -> bool {
        self.inner.event_enabled(event)
    }

    fn event(&self, event: &Event<'_>) {
        (self.make_span)();
        self.inner.event(event);
    }

    fn enter(&self, span: &Id) {
        (self.make_span)();
        self.inner.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.inner.exit(span);
    }

    fn clone_span(&self, span: &Id) -> Id {
        self.inner.clone_span(span)
    }

    fn try_close(&self, span: Id) -> bool {
        self.inner.try_close(span)
    }

    fn current_span(&self) -> Current {
        (self.make_span)();
        self.inner.current_span()
    }
}
