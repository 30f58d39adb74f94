use std::{borrow::Cow, fmt, time::Duration};

use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::{
    codes::{self, ProblemCode},
    cut::cut,
    fault::Fault,
};

/// What a request got instead of its answer: a problem document as of RFC 9457, `application/problem+json`.
///
/// Every error of this service has this form, below 4 KB. `code` is the stable word for programs and `detail` for people;
/// `errors` has the faults of the request, at most 20 of them, each with its place, and `more_errors` counts the others.
///
/// ```json
/// {
///   "type": "urn:problem-type:invalid_body",
///   "title": "The body does not fit",
///   "status": 422,
///   "detail": "1 value does not fit",
///   "code": "invalid_body",
///   "request_id": "0193a5f0-7d5e-7000-8b3c-3f1d8f2f4a11",
///   "errors": [{ "pointer": "/params/input", "detail": "is missing" }]
/// }
/// ```
///
/// A handler of your own can answer with it as well, so that a service has one form of errors:
///
/// ```
/// use axum::http::StatusCode;
/// use ddd_web::Problem;
///
/// async fn ship(order_is_paid: bool) -> Result<&'static str, Problem> {
///     if !order_is_paid {
///         return Err(Problem::new(StatusCode::CONFLICT, "order_unpaid", "The order is not paid"));
///     }
///     Ok("on its way")
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
    faults: Vec<Fault>,
    uncounted: usize,
    request_id: Option<HeaderValue>,
    retry_after: Option<Duration>,
    allow: Option<HeaderValue>,
}

impl Problem {
    /// How many faults one tells of, at most.
    pub const MOST_ERRORS: usize = 20;

    /// The faults take at most so many bytes of a document, so that all of it stays below 4 KB.
    const FAULTS_SIZE: usize = 2_800;
    /// The detail likewise.
    const DETAIL_SIZE: usize = 600;

    /// A problem of your own service. `code` is the stable word for programs, `title` the same for every problem of that
    /// code.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self(Box::new(Parts {
            status,
            code,
            title,
            detail: Cow::Borrowed(""),
            faults: Vec::new(),
            uncounted: 0,
            request_id: None,
            retry_after: None,
            allow: None,
        }))
    }

    /// The codes of the problems that the routes of this crate answer with, by status.
    #[must_use]
    pub fn codes() -> &'static [&'static ProblemCode] {
        codes::ALL
    }

    pub(crate) fn of(code: &ProblemCode) -> Self {
        Self::new(code.status, code.code, code.title)
    }

    /// What happened this time, for people: what is wrong, and what to do instead.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// With a fault of the request.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.0.faults.push(fault);
        self
    }

    /// With these faults of the request.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.0.faults.extend(faults);
        self
    }

    /// And so many more faults that were found and are not told.
    pub(crate) fn and_more(mut self, count: usize) -> Self {
        self.0.uncounted += count;
        self
    }

    /// Trying again can help after this long: sent as `Retry-After`, in whole seconds, at least 1.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.0.retry_after = Some(after);
        self
    }

    pub(crate) fn allow(mut self, methods: HeaderValue) -> Self {
        self.0.allow = Some(methods);
        self
    }

    pub(crate) fn request_id(mut self, id: HeaderValue) -> Self {
        self.0.request_id = Some(id);
        self
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.0.code
    }
}

impl Parts {
    /// The document, with as many faults as fit.
    fn shown(&self) -> Shown<'_> {
        let mut room = Problem::FAULTS_SIZE;
        let mut told = 0;
        for fault in self.faults.iter().take(Problem::MOST_ERRORS) {
            let Some(left) = room.checked_sub(fault.size()) else { break };
            room = left;
            told += 1;
        }
        let detail = if self.detail.is_empty() { self.title } else { &self.detail };
        Shown {
            kind: Kind(self.code),
            title: self.title,
            status: self.status.as_u16(),
            detail: cut(detail, Problem::DETAIL_SIZE),
            code: self.code,
            request_id: self.request_id.as_ref().and_then(|it| it.to_str().ok()),
            errors: &self.faults[..told],
            more_errors: self.faults.len() - told + self.uncounted,
        }
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(rename = "type")]
    kind: Kind,
    title: &'static str,
    status: u16,
    detail: Cow<'a, str>,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [Fault],
    #[serde(skip_serializing_if = "is_zero")]
    more_errors: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The type of a problem, as a URI.
struct Kind(&'static str);

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("urn:problem-type:{}", self.0))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let parts = self.0;
        // Never an error: nothing of it is written by a user's code.
        let body = serde_json::to_vec(&parts.shown()).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = parts.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(after) = parts.retry_after {
            let seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0));
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if let Some(allow) = parts.allow {
            headers.insert(ALLOW, allow);
        }
        if parts.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { status, code, title, detail, .. } = &*self.0;
        write!(f, "{} {code}: {}", status.as_u16(), if detail.is_empty() { title } else { detail.as_ref() })
    }
}
