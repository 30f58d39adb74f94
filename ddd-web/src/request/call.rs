use std::borrow::Cow;

use axum::{
    body::Body,
    extract::RawPathParams,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::Response,
};
use parking_lot::Mutex;
use serde::Serialize;

use super::{base, context::RequestContext, query::Query};
use crate::problem::{Problem, codes};

/// What a route answers.
pub(crate) type Answer = Result<Response, Problem>;

/// A request, as a route's handler gets it: the caller is known, and may use the route.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) context: RequestContext,
    pub(crate) parts: Parts,
    /// Not shared, which is said by the lock: else no reference to a call could be sent.
    body: Mutex<Body>,
    /// The parameters of the path, percent-decoded; `None` if they are no text.
    params: Option<RawPathParams>,
}

impl Call {
    pub(crate) const fn new(context: RequestContext, parts: Parts, body: Body, params: Option<RawPathParams>) -> Self {
        Self { context, parts, body: Mutex::new(body), params }
    }

    /// The body, once.
    pub(crate) fn take_body(&mut self) -> Body {
        std::mem::take(self.body.get_mut())
    }

    /// The path's parameter of this name. Empty if it is no text, and nothing has an empty name.
    pub(crate) fn path(&self, name: &str) -> &str {
        // The last of this name: the application may nest the routes below a parameter that is called the same.
        let found = self.params.iter().flatten().filter(|it| it.0 == name).last();
        found.map_or("", |it| it.1)
    }

    /// The query, to be read.
    pub(crate) fn query(&self) -> Result<Query, Problem> {
        Query::of(&self.parts.uri)
    }

    /// The path before the routes, such as `/api/v1`.
    pub(crate) fn base(&self) -> Cow<'_, str> {
        match &self.params {
            Some(params) => base::of(&self.parts.extensions, params),
            None => Cow::Borrowed(""),
        }
    }
}

/// Answers with a value as JSON.
pub(crate) fn reply(status: StatusCode, body: &impl Serialize) -> Answer {
    // Room for most answers, and for the headers of all, so that neither has to grow.
    let mut bytes = Vec::with_capacity(768);
    if let Err(error) = serde_json::to_writer(&mut bytes, body) {
        tracing::error!(%error, "an answer cannot be written");
        return Err(Problem::of(&codes::INTERNAL_ERROR));
    }
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.reserve(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
