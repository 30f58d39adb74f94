//! Names that somebody else may have pointed here. A page can be loaded from a name whose owner then changes its address to
//! that of this machine (DNS rebinding): to the browser, what it asks here is then the page's own site.

use std::net::IpAddr;

use axum::http::{Uri, header::HOST, header::HeaderMap, uri::Authority};

/// Whether a request is for a name that only somebody's name server says is this machine. Addresses and `localhost` are
/// nobody's to change; who names no host is no browser.
pub(super) fn is_for_foreign_host(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter().map(|it| it.as_bytes());
    let in_header = hosts.any(|it| !Authority::try_from(it).is_ok_and(|it| is_own(it.host())));
    in_header || uri.host().is_some_and(|it| !is_own(it))
}

fn is_own(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let address = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
    let last_label = host.rsplit('.').next().unwrap_or(host);
    address.parse::<IpAddr>().is_ok() || last_label.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn is_foreign(uri: &str, hosts: &[&'static str]) -> bool {
        let headers = hosts.iter().map(|it| (HOST, it.parse().unwrap())).collect();
        is_for_foreign_host(&uri.parse().unwrap(), &headers)
    }

    #[test]
    fn addresses_and_localhost_are_own() {
        for own in [
            "localhost",
            "localhost:8000",
            "LOCALHOST.:1",
            "tasks.localhost",
            "127.0.0.1",
            "127.0.0.1:8000",
            "[::1]:80",
            "192.168.0.7:8000",
        ] {
            assert!(!is_foreign("/", &[own]), "{own}");
        }
        assert!(!is_foreign("/", &[]));
        assert!(!is_foreign("http://127.0.0.1:8000/x", &[]));
    }

    #[test]
    fn every_other_name_is_foreign() {
        for foreign in [
            "evil.example",
            "evil.example:8000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evillocalhost",
            "",
            "user@",
            "1.2.3",
        ] {
            assert!(is_foreign("/", &[foreign]), "{foreign}");
        }
        assert!(is_foreign("http://evil.example/x", &[]));
        assert!(is_foreign("/", &["localhost", "evil.example"]));
    }
}
