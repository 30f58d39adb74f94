//! Web pages of others. Where nobody has to show a key, any page that somebody has open in a browser on this machine could
//! send requests here; browsers say so.

use axum::http::{
    HeaderMap,
    header::{HOST, ORIGIN},
};

/// Whether a browser says that a request comes from a page of another site.
pub(super) fn is_cross_site(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    // An older browser tells only where the page is from.
    let Some(origin) = headers.get(ORIGIN).map(|it| it.as_bytes()) else { return false };
    let origin = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
    origin.is_none() || origin != headers.get(HOST).map(|it| it.as_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn what_browsers_say_is_believed() {
        let says = |headers: &[(&'static str, &'static str)]| {
            let all = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
            is_cross_site(&all.collect())
        };
        for other in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site"), ("origin", "http://a:1"), ("host", "a:1")],
            &[("origin", "http://evil.example"), ("host", "127.0.0.1:8000")],
            &[("origin", "http://127.0.0.1:8001"), ("host", "127.0.0.1:8000")],
            &[("origin", "null"), ("host", "127.0.0.1:8000")],
            &[("origin", "http://127.0.0.1:8000")],
        ] {
            assert!(says(other), "{other:?}");
        }
        for own in [
            &[][..],
            &[("host", "127.0.0.1:8000")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", "http://x")],
            &[("origin", "http://127.0.0.1:8000"), ("host", "127.0.0.1:8000")],
        ] {
            assert!(!says(own), "{own:?}");
        }
    }
}
