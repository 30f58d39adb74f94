//! The trace that a request is part of.

use axum::http::HeaderMap;

/// The `traceparent` of a request, if it is one as of W3C Trace Context: version, trace id, parent id, flags.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all("traceparent").iter();
    let text = all.next()?.to_str().ok()?.trim();
    (all.next().is_none() && is_valid(text)).then_some(text)
}

fn is_valid(text: &str) -> bool {
    // A later version may add fields after those that are known.
    let (known, rest) = text.split_at_checked(55).unwrap_or_default();
    let mut fields = known.split('-');
    let mut field = |length: usize| {
        fields.next().filter(|it| it.len() == length && it.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f')))
    };
    let (Some(version), Some(trace), Some(parent), Some(_)) = (field(2), field(32), field(16), field(2)) else {
        return false;
    };
    let is_zero = |it: &str| it.bytes().all(|it| it == b'0');
    let ends_well = rest.is_empty() || (version != "00" && rest.starts_with('-') && rest.len() <= 200);
    version != "ff" && !is_zero(trace) && !is_zero(parent) && ends_well
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_a_trace_context_is_taken() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        for good in [
            format!("00-{trace}-00f067aa0ba902b7-01"),
            format!("00-{trace}-00f067aa0ba902b7-00"),
            format!("cc-{trace}-00f067aa0ba902b7-01-what-the-future-will-be-like"),
        ] {
            assert!(is_valid(&good), "{good}");
        }
        for bad in [
            String::new(),
            "00".to_owned(),
            format!("00-{trace}-00f067aa0ba902b7"),
            format!("00-{trace}-00f067aa0ba902b7-01-more"),
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            format!("00-{trace}-00f067aa0ba902b7-0é"),
            format!("00_{trace}_00f067aa0ba902b7_01"),
        ] {
            assert!(!is_valid(&bad), "{bad}");
        }
    }
}
