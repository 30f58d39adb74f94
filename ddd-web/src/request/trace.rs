//! The trace that a request is part of.

use axum::http::HeaderMap;
use ddd_core::TraceContext;

/// The `traceparent` of a request, if it has one that is valid: what is not, and what comes twice, is as if it were not there.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<TraceContext> {
    let mut all = headers.get_all("traceparent").iter();
    let text = all.next()?.to_str().ok()?.trim();
    if all.next().is_some() { None } else { TraceContext::parse(text) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn one_header_is_taken_and_two_are_none() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let mut headers = HeaderMap::new();
        assert_eq!(traceparent(&headers), None);
        headers.append("traceparent", text.parse().unwrap());
        assert_eq!(traceparent(&headers).map(|it| it.to_string()).as_deref(), Some(text));
        headers.append("traceparent", text.parse().unwrap());
        assert_eq!(traceparent(&headers), None);
    }
}
