use axum::{
    body::Body,
    extract::{FromRequestParts as _, RawPathParams},
    http::request::Parts,
    response::Response,
};

use super::context::RequestContext;
use crate::problem::Problem;

/// What a route answers.
pub(crate) type Answer = Result<Response, Problem>;

/// A request, as a route's handler gets it: the caller is known, and may use the route.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) context: RequestContext,
    pub(crate) parts: Parts,
    pub(crate) body: Body,
}

impl Call {
    /// The path's parameter of this name, percent-decoded. Empty if it is no text, and nothing has an empty name.
    pub(crate) async fn path(&mut self, name: &str) -> String {
        let params = RawPathParams::from_request_parts(&mut self.parts, &()).await;
        let found = params.iter().flatten().find(|it| it.0 == name);
        found.map(|it| it.1.to_owned()).unwrap_or_default()
    }
}
