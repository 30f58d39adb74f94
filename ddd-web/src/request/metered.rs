//! What is counted of requests. Without the feature `metrics` nothing is.

use axum::http::Method;

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Metered {
    #[cfg(feature = "metrics")]
    began: std::time::Instant,
    #[cfg(feature = "metrics")]
    method: &'static str,
}

#[cfg(not(feature = "metrics"))]
#[allow(clippy::unused_self, reason = "the same calls with and without the feature")]
impl Metered {
    pub(super) const fn begin(_: &Method) -> Self {
        Self {}
    }

    pub(super) const fn end(&self, _: &str, _: u16) {}
}

#[cfg(feature = "metrics")]
impl Metered {
    /// A request begins.
    pub(super) fn begin(method: &Method) -> Self {
        describe();
        let method = known(method);
        metrics::gauge!("http.server.active_requests", "http.request.method" => method).increment(1.0);
        Self { began: std::time::Instant::now(), method }
    }

    /// It is answered, by the route that is registered so.
    pub(super) fn end(&self, route: &str, status: u16) {
        metrics::histogram!(
            "http.server.request.duration",
            "http.request.method" => self.method,
            "http.route" => route.to_owned(),
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
