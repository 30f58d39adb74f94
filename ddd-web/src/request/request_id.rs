//! Which request this is: the caller's own id, or a new one.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use ddd_core::{Clock as _, IdGenerator, SystemClock};

/// The header that carries a request's id, in both directions.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id of a caller that is taken.
const LONGEST: usize = 128;

/// The id of a request: 1 to 128 letters, digits, `.`, `_` and `-`. A clone is cheap.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(crate) const fn header(&self) -> &HeaderValue {
        &self.0
    }
}

/// Whether a text may be the id of a request.
pub(crate) fn is_valid(text: &[u8]) -> bool {
    let is_allowed = |it: &u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b'-');
    (1..=LONGEST).contains(&text.len()) && text.iter().all(is_allowed)
}

/// Makes the ids of requests that bring none: UUIDs of version 7.
#[derive(Debug, Default)]
pub(crate) struct RequestIds(IdGenerator);

impl RequestIds {
    /// The id of the request with these headers.
    pub(crate) fn of(&self, headers: &HeaderMap) -> RequestId {
        match headers.get(X_REQUEST_ID) {
            Some(given) if is_valid(given.as_bytes()) => RequestId(given.clone()),
            _ => RequestId(self.fresh()),
        }
    }

    fn fresh(&self) -> HeaderValue {
        let id = self.0.next(SystemClock::default().now());
        let mut text = [0; 36];
        // Never an error: it is hexadecimal.
        HeaderValue::from_str(id.as_uuid().hyphenated().encode_lower(&mut text))
            .unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }
}
