//! Where traces and metrics are exported to.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use opentelemetry::{KeyValue, metrics::MeterProvider as _, trace::TracerProvider as _};
use opentelemetry_otlp::{
    ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};

use super::client::Sender;
use crate::infrastructure::telemetry::error::TelemetryError;

/// The environment's word on where to export to, in the order in which they are looked at.
const ENDPOINTS: [&str; 3] =
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"];

/// The export of traces and metrics over OTLP: HTTP with protobuf, to a collector or an agent nearby.
///
/// ```
/// use ddd_core::telemetry::Otlp;
/// use std::time::Duration;
///
/// let export = Otlp::to("http://localhost:4318").sample(0.1).metrics_every(Duration::from_secs(10));
/// ```
#[derive(Clone)]
pub struct Otlp {
    endpoint: Option<String>,
    headers: HashMap<String, String>,
    timeout: Duration,
    sample: f64,
    metrics_every: Duration,
}

impl Otlp {
    /// To where the environment says (`OTEL_EXPORTER_OTLP_ENDPOINT` and `OTEL_EXPORTER_OTLP_HEADERS`), else to
    /// `http://localhost:4318`.
    #[must_use]
    pub fn from_env() -> Self {
        Self {
            endpoint: None,
            headers: HashMap::new(),
            timeout: Duration::from_secs(10),
            sample: 1.0,
            metrics_every: Duration::from_secs(60),
        }
    }

    /// To this address, without a path: `/v1/traces` and `/v1/metrics` are added. It begins with `http://`; for a collector
    /// that wants TLS, let an agent on the same machine pass things on.
    #[must_use]
    pub fn to(endpoint: impl Into<String>) -> Self {
        Self { endpoint: Some(endpoint.into()), ..Self::from_env() }
    }

    /// With this header on each request, such as a key.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// How long a request may take; 10 s unless set.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Records this share of the traces that begin here, 0.0 to 1.0; all unless set. Of traces that began elsewhere it
    /// records what their beginning says.
    #[must_use]
    pub const fn sample(mut self, share: f64) -> Self {
        self.sample = share;
        self
    }

    /// How often metrics are sent; every 60 s unless set.
    #[must_use]
    pub const fn metrics_every(mut self, interval: Duration) -> Self {
        self.metrics_every = interval;
        self
    }

    fn url(&self, path: &str) -> Option<String> {
        self.endpoint.as_ref().map(|it| format!("{}{path}", it.trim_end_matches('/')))
    }

    /// Starts it.
    pub(crate) fn start(&self, about: &About) -> Result<Exported, TelemetryError> {
        let said = ENDPOINTS.iter().filter_map(|it| std::env::var(it).ok()).filter(|it| !it.is_empty());
        let endpoints = self.endpoint.clone().map_or_else(|| said.collect(), |it| vec![it]);
        if endpoints.iter().any(|it| !it.starts_with("http://")) {
            return Err(TelemetryError::Export(
                "the address of the collector begins with `http://`; where it wants TLS, let an agent on the same machine \
                 pass things on"
                    .to_owned(),
            ));
        }
        let sender = Arc::new(Sender::start(self.timeout)?);
        let mut spans = SpanExporter::builder()
            .with_http()
            .with_shared_http_client(sender.clone())
            .with_headers(self.headers.clone())
            .with_timeout(self.timeout);
        let mut metrics = MetricExporter::builder()
            .with_http()
            .with_shared_http_client(sender)
            .with_headers(self.headers.clone())
            .with_timeout(self.timeout);
        if let (Some(to_spans), Some(to_metrics)) = (self.url("/v1/traces"), self.url("/v1/metrics")) {
            (spans, metrics) = (spans.with_endpoint(to_spans), metrics.with_endpoint(to_metrics));
        }
        // The message may quote the address, which may hold a password.
        let told = |_: ExporterBuildError| {
            TelemetryError::Export("the address or the headers of the collector cannot be read".to_owned())
        };
        let (spans, metrics) = (spans.build().map_err(told)?, metrics.build().map_err(told)?);
        let resource = about.resource();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(self.sample)));
        let tracers = SdkTracerProvider::builder()
            .with_batch_exporter(spans)
            .with_sampler(sampler)
            .with_resource(resource.clone())
            .build();
        let reader = PeriodicReader::builder(metrics).with_interval(self.metrics_every).build();
        let meters = SdkMeterProvider::builder().with_reader(reader).with_resource(resource).build();
        Ok(Exported { tracers, meters })
    }
}

/// Headers may hold keys, and the address a password.
impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp")
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("sample", &self.sample)
            .finish_non_exhaustive()
    }
}

/// What the process is.
#[derive(Clone, Debug, Default)]
pub(crate) struct About {
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) environment: Option<String>,
}

impl About {
    fn resource(&self) -> Resource {
        let attributes = [("service.version", &self.version), ("deployment.environment.name", &self.environment)];
        let said = attributes.into_iter().filter_map(|(key, it)| Some(KeyValue::new(key, it.clone()?)));
        let builder = Resource::builder().with_attributes(said);
        match &self.name {
            Some(name) => builder.with_service_name(name.clone()).build(),
            None => builder.build(),
        }
    }
}

/// What exports.
#[derive(Clone, Debug)]
pub(crate) struct Exported {
    tracers: SdkTracerProvider,
    meters: SdkMeterProvider,
}

impl Exported {
    pub(super) fn tracer(&self) -> SdkTracer {
        self.tracers.tracer("ddd-core")
    }

    pub(crate) fn meter(&self) -> opentelemetry::metrics::Meter {
        self.meters.meter("ddd-core")
    }

    /// Sends what has been collected. Blocks the thread.
    pub(crate) fn flush(&self) -> bool {
        let (spans, metrics) = (self.tracers.force_flush(), self.meters.force_flush());
        spans.is_ok() && metrics.is_ok()
    }

    /// The same, and ends. Blocks the thread, for about as long as it may.
    pub(crate) fn shutdown(&self, within: Duration) -> bool {
        let (spans, metrics) = (self.tracers.shutdown_with_timeout(within), self.meters.shutdown_with_timeout(within));
        spans.is_ok() && metrics.is_ok()
    }
}
