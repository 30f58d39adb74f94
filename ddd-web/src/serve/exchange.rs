//! One request and its answer.

use std::{convert::Infallible, fmt, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{
        HeaderValue, Request, Response, Version,
        header::{CACHE_CONTROL, CONNECTION},
    },
    response::IntoResponse as _,
};
use http_body::Body as _;
use hyper::{body::Incoming, service::Service};
use tokio::time::{Instant, timeout_at};
use tower::Service as _;

use super::{
    compression::{Compressed, compressed, may_take_gzip},
    inbound::{Fault, Faults, Inbound},
    limits::Limits,
    outbound::{Flight, Outbound},
    pulse::Pulse,
};
use crate::{
    deadline::Deadline,
    drain::Drain,
    problem::{Problem, ProblemCode, codes},
    request::{RequestIds, X_REQUEST_ID, caught},
};

/// What the exchanges of all connections share.
pub(super) struct Site {
    router: Router,
    compressed: Compressed,
    request_ids: RequestIds,
    pub(super) limits: Limits,
    pub(super) drain: Drain,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("limits", &self.limits).field("drain", &self.drain).finish_non_exhaustive()
    }
}

impl Site {
    pub(super) fn new(router: Router, limits: Limits, drain: Drain) -> Self {
        let compressed = compressed(router.clone());
        Self { router, compressed, request_ids: RequestIds::default(), limits, drain }
    }

    /// The answer to a request. It always is one: panics and time-outs are answered too.
    async fn answer(&self, request: Request<Incoming>, address: SocketAddr, pulse: &Arc<Pulse>) -> Response<Body> {
        let began = Instant::now();
        let (mut parts, body) = request.into_parts();
        let (version, id) = (parts.version, self.request_ids.of(&parts.headers));
        let refused = |code: &ProblemCode, detail: String| {
            let problem = Problem::of(code).detail(detail).request_id(id.header().clone());
            let mut response = problem.into_response();
            let headers = response.headers_mut();
            headers.insert(X_REQUEST_ID, id.header().clone());
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        };
        let limits = &self.limits;
        let due = began + limits.request_timeout;
        parts.extensions.insert(self.drain.clone());
        parts.extensions.insert(Deadline::at(due));
        parts.extensions.insert(ConnectInfo(address));
        // The same id in what answers here and in what answers within.
        parts.headers.insert(X_REQUEST_ID, id.header().clone());
        let faults = Faults::default();
        let too_large = || refused(&codes::TOO_LARGE, format!("send at most {} bytes", limits.body_bytes));
        let body = if body.is_end_stream() {
            Body::empty()
        } else if body.size_hint().lower() > limits.body_bytes {
            return closing(too_large(), version);
        } else {
            let due = began + limits.body_timeout;
            Body::new(Inbound::new(body, limits.body_bytes, due, pulse.clone(), faults.clone()))
        };
        let takes_gzip = limits.compresses && may_take_gzip(&parts.headers);
        let request = Request::from_parts(parts, body);
        let answered = timeout_at(due, caught(Box::pin(self.routed(request, takes_gzip)))).await;
        if let Some(fault) = faults.found() {
            let response = match fault {
                Fault::TooLarge => too_large(),
                Fault::TooSlow => refused(&codes::BODY_TIMED_OUT, within("send it", limits.body_timeout)),
            };
            return closing(response, version);
        }
        match answered {
            Ok(Some(response)) => response,
            Ok(None) => {
                tracing::error!(request_id = id.as_str(), "a handler panicked");
                refused(&codes::INTERNAL_ERROR, String::new())
            }
            Err(_) => {
                tracing::warn!(request_id = id.as_str(), "a request was not answered in time");
                refused(&codes::REQUEST_TIMED_OUT, within("it was not done", limits.request_timeout))
            }
        }
    }

    async fn routed(&self, request: Request<Body>, takes_gzip: bool) -> Response<Body> {
        let answer = if takes_gzip {
            self.compressed.clone().call(request).await.map(|it| it.map(Body::new))
        } else {
            self.router.clone().call(request).await
        };
        answer.unwrap_or_else(|never: Infallible| match never {})
    }
}

fn within(what: &str, time: Duration) -> String {
    format!("{what} within {time:?}")
}

/// The last answer of a connection, where that matters: what the client still sends is not a request.
fn closing(mut response: Response<Body>, version: Version) -> Response<Body> {
    if version < Version::HTTP_2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Answers the requests of one connection.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) site: Arc<Site>,
    pub(super) address: SocketAddr,
    pub(super) pulse: Arc<Pulse>,
}

impl Service<Request<Incoming>> for Exchange {
    type Response = Response<Outbound>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let version = request.version();
        let flight = Flight::begin(self.pulse.clone(), version == Version::HTTP_2);
        let Self { site, address, pulse } = self.clone();
        Box::pin(async move {
            let mut response = site.answer(request, address, &pulse).await;
            if site.drain.has_begun() {
                // The client's next request is better sent elsewhere.
                response = closing(response, version);
            }
            Ok(response.map(|body| Outbound::new(body, flight)))
        })
    }
}
