//! The one thing between axum and the handlers: who makes a request and whether they may, panics, and the one form of errors.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{FromRequestParts as _, RawPathParams, Request},
    http::{
        HeaderValue, Method,
        header::{CACHE_CONTROL, CONTENT_LENGTH, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use ddd_core::current_trace;
use http_body::Body as _;
use tower::Service;
use tracing::{Instrument, Span};

use super::{
    call::{Answer, Call},
    caught::caught,
    context::RequestContext,
    observed::{Observed, Seen},
};
use crate::{
    access::{Access, Caller},
    problem::{Problem, codes},
    route::Route,
    state::State,
};

/// All routes of one path; or, without any, of those paths that have none.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Arc<State>,
    routes: Vec<&'static Route>,
    allow: HeaderValue,
}

impl Endpoint {
    pub(crate) fn new(state: Arc<State>, routes: Vec<&'static Route>) -> Self {
        let mut methods: Vec<_> = routes.iter().map(|it| it.method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        // Never an error: methods are tokens.
        let allow = HeaderValue::from_str(&methods.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""));
        Self(Arc::new(Inner { state, routes, allow }))
    }
}

impl Service<Request> for Endpoint {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move { Ok(inner.serve(request).await) })
    }
}

impl Inner {
    async fn serve(self: Arc<Self>, request: Request) -> Response {
        let (mut parts, body) = request.into_parts();
        let route = self.route(&parts.method);
        let is_head = parts.method == Method::HEAD;
        let caller = self.state.access.caller(&parts.headers);
        // A layer around all routes has done it for this one, too.
        let (seen, observed) = match parts.extensions.remove::<Seen>() {
            Some(seen) => (seen, None),
            None => {
                let observed = Observed::begin(&self.state, &parts, caller.is_some());
                (observed.seen.clone(), Some(observed))
            }
        };
        let span = if observed.is_some() { seen.span.clone() } else { Span::current() };
        let mut response = {
            let answer = caught(Box::pin(self.answer(route, &seen, caller, parts, body))).instrument(span).await;
            let answer = answer.unwrap_or_else(|| {
                seen.span.in_scope(|| tracing::error!("a handler panicked"));
                Err(Problem::of(&codes::INTERNAL_ERROR))
            });
            answer.unwrap_or_else(|problem| problem.request_id(seen.request_id.header().clone()).into_response())
        };
        if is_head {
            let length = response.body().size_hint().exact();
            *response.body_mut() = Body::empty();
            if let Some(length) = length {
                response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
            }
        }
        let headers = response.headers_mut();
        headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(observed) = observed {
            observed.end(&mut response);
        }
        response
    }

    fn route(&self, method: &Method) -> Option<&'static Route> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.routes.iter().find(|it| it.method == *method).copied()
    }

    async fn answer(
        &self,
        route: Option<&'static Route>,
        seen: &Seen,
        caller: Option<Caller>,
        parts: axum::http::request::Parts,
        body: Body,
    ) -> Answer {
        let Some(route) = route else {
            return Err(if self.routes.is_empty() {
                Problem::of(&codes::ROUTE_NOT_FOUND)
            } else {
                let takes = format!("it takes {}", self.allow.to_str().unwrap_or_default());
                Problem::of(&codes::METHOD_NOT_ALLOWED).allow(self.allow.clone()).detail(takes)
            });
        };
        if self.state.access.is_for_foreign_host(&parts) {
            return Err(Problem::of(&codes::FORBIDDEN).detail(
                "while everybody may do everything, requests are answered for addresses and `localhost` only, not for other hosts",
            ));
        }
        if route.method != Method::GET && self.state.access.is_forged(&parts.headers) {
            return Err(Problem::of(&codes::FORBIDDEN).detail("pages of other sites may not change anything here"));
        }
        if let Some(owner) = caller.as_ref().and_then(|it| it.owner()) {
            seen.span.record("caller", owner);
        }
        let caller = match (caller, route.permission) {
            (Some(caller), Some(permission)) if !caller.may(permission) => {
                return Err(Problem::of(&codes::FORBIDDEN).detail(format!("this takes the permission `{permission}`")));
            }
            (Some(caller), _) => caller,
            (None, None) => Access::stranger(),
            (None, Some(_)) => {
                return Err(Problem::of(&codes::UNAUTHENTICATED)
                    .detail("send a valid key as `Authorization: Bearer …` or `X-API-Key: …`"));
            }
        };
        let mut parts = parts;
        let params = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
        // The request's own span, if traces are collected; else what the caller sent.
        let traceparent = current_trace().or(seen.traceparent).map(|it| it.to_string());
        let context = RequestContext { request_id: seen.request_id.clone(), caller, traceparent };
        (route.handler)(self.state.clone(), Call::new(context, parts, body, params)).await
    }
}
