//! What is counted of requests. Without the feature `metrics` nothing is.

use axum::http::Method;

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Metered {
    #[cfg(feature = "metrics")]
    began: std::time::Instant,
    #[cfg(feature = "metrics")]
    method: &'static str,
    #[cfg(feature = "metrics")]
    route: &'static str,
}

#[cfg(not(feature = "metrics"))]
#[allow(clippy::unused_self, reason = "the same calls with and without the feature")]
impl Metered {
    pub(super) const fn begin(_: &Method, _: &'static str) -> Self {
        Self {}
    }

    pub(super) const fn end(&self, _: u16) {}
}

#[cfg(feature = "metrics")]
impl Metered {
    /// A request begins: its route as it is registered, so callers cannot make labels.
    pub(super) fn begin(method: &Method, route: &'static str) -> Self {
        describe();
        let method = known(method);
        metrics::gauge!("http.server.active_requests", "http.request.method" => method).increment(1.0);
        Self { began: std::time::Instant::now(), method, route }
    }

    /// It is answered.
    pub(super) fn end(&self, status: u16) {
        metrics::histogram!(
            "http.server.request.duration",
            "http.request.method" => self.method,
            "http.route" => self.route,
            "http.response.status_code" => status.to_string(),
        )
        .record(self.began.elapsed().as_secs_f64());
    }
}

#[cfg(feature = "metrics")]
impl Drop for Metered {
    /// Also where the client went away and nothing was answered.
    fn drop(&mut self) {
        metrics::gauge!("http.server.active_requests", "http.request.method" => self.method).decrement(1.0);
    }
}

#[cfg(feature = "metrics")]
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE"];
    KNOWN.into_iter().find(|it| *it == method.as_str()).unwrap_or("_OTHER")
}

#[cfg(feature = "metrics")]
fn describe() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        metrics::describe_gauge!(
            "http.server.active_requests",
            metrics::Unit::Count,
            "Requests that are being answered."
        );
        metrics::describe_histogram!("http.server.request.duration", metrics::Unit::Seconds, "How long requests took.");
    });
}
