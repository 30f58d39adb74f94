//! The same for routes that are not ours.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};
use ddd_core::{Origin, current_trace, with_origin};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::{caught::caught, observed::Observed};
use crate::{
    problem::{Problem, codes},
    state::State,
};

/// Does for every route of a router what an [`Api`](crate::Api) does for its own: see [`Api::layer`](crate::Api::layer).
#[derive(Clone, Debug)]
pub struct RequestLayer(Arc<State>);

impl RequestLayer {
    pub(crate) const fn new(state: Arc<State>) -> Self {
        Self(state)
    }
}

impl<S> Layer<S> for RequestLayer {
    type Service = Requests<S>;

    fn layer(&self, inner: S) -> Requests<S> {
        Requests { inner, state: self.0.clone() }
    }
}

/// What a [`RequestLayer`] makes of a service.
#[derive(Clone, Debug)]
pub struct Requests<S> {
    inner: S,
    state: Arc<State>,
}

impl<S> Service<Request> for Requests<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let is_known = self.state.access.caller(&parts.headers).is_some();
        let observed = Observed::begin(&self.state, &parts, is_known);
        let seen = observed.seen.clone();
        parts.extensions.insert(seen.clone());
        let mut origin = Origin::default();
        origin.request_id = Some(seen.request_id.as_str().to_owned());
        let traceparent = seen.span.in_scope(current_trace).or(seen.traceparent);
        origin.traceparent = traceparent.map(|it| it.to_string());
        let answer = seen.span.in_scope(|| self.inner.call(Request::from_parts(parts, body)));
        Box::pin(async move {
            let answer = caught(Box::pin(with_origin(origin, answer))).instrument(seen.span.clone()).await;
            let mut response = answer.map_or_else(
                || {
                    seen.span.in_scope(|| tracing::error!("a handler panicked"));
                    Problem::of(&codes::INTERNAL_ERROR).request_id(seen.request_id.header().clone()).into_response()
                },
                |answer| answer.unwrap_or_else(|never: Infallible| match never {}),
            );
            observed.end(&mut response);
            Ok(response)
        })
    }
}
