//! What is told of every request, whoever answers it: its id, its span, its line in the log and its figures.

use std::time::Instant;

use axum::{
    extract::MatchedPath,
    http::{Method, request::Parts},
    response::Response,
};
use ddd_core::{TraceContext, adopt_trace};
use tracing::{Span, field::Empty};

use super::{
    metered::Metered,
    request_id::{RequestId, X_REQUEST_ID},
    trace,
};
use crate::state::State;

/// What is known of a request as soon as its head is read. In the request's extensions it says that it is observed already.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) request_id: RequestId,
    /// The trace that it goes on with.
    pub(super) traceparent: Option<TraceContext>,
    pub(super) span: Span,
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) seen: Seen,
    route: Option<MatchedPath>,
    metered: Metered,
    began: Instant,
}

impl Observed {
    /// A request begins. The sender of a trace's beginning decides whether it is recorded: not so somebody whom nobody knows.
    pub(super) fn begin(state: &State, parts: &Parts, is_known: bool) -> Self {
        let request_id = state.request_ids.of(&parts.headers);
        let route = parts.extensions.get::<MatchedPath>().cloned();
        let span = span(&parts.method, label(route.as_ref()), request_id.as_str());
        let is_trusted = is_known && !state.own_traces;
        let traceparent = trace::traceparent(&parts.headers).filter(|_| is_trusted);
        if let Some(context) = traceparent {
            span.record("traceparent", tracing::field::display(context));
            adopt_trace(&span, &context);
        }
        let metered = Metered::begin(&parts.method);
        Self { seen: Seen { request_id, traceparent, span }, route, metered, began: Instant::now() }
    }

    /// It is answered.
    pub(super) fn end(self, response: &mut Response) {
        let Seen { request_id, span, .. } = &self.seen;
        response.headers_mut().insert(X_REQUEST_ID, request_id.header().clone());
        let (status, elapsed_us) = (response.status().as_u16(), self.began.elapsed().as_micros());
        self.metered.end(label(self.route.as_ref()), status);
        // Before the span knows the status: else the line had it twice.
        span.in_scope(|| tracing::info!(status, elapsed_us, "answered"));
        span.record("http.response.status_code", status);
        if status >= 500 {
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// A route as it is registered, with the whole path to it and without a slash at its end: not what was asked for, since a
/// caller must neither write into the log nor make labels. Empty where there is no route.
fn label(route: Option<&MatchedPath>) -> &str {
    match route.map_or("", MatchedPath::as_str) {
        "/" => "/",
        path => path.strip_suffix('/').unwrap_or(path),
    }
}

/// At the level of errors: a span that is left out takes the request's id away from every line in it.
fn span(method: &Method, route: &str, request_id: &str) -> Span {
    tracing::error_span!(
        "request",
        method = method.as_str(),
        route,
        request_id,
        caller = Empty,
        traceparent = Empty,
        http.response.status_code = Empty,
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
    )
}
