//! A collector: takes OTLP over HTTP, as protobuf, and keeps what it was told.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, StatusCode, body::Bytes, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{Metric, NumberDataPoint, metric::Data, number_data_point::Value as Number},
    resource::v1::Resource,
    trace::v1::Span,
};
use prost::Message as _;
use tokio::net::TcpListener;

#[derive(Default)]
pub(crate) struct Collector {
    pub(crate) spans: Mutex<Vec<Span>>,
    pub(crate) metrics: Mutex<Vec<Metric>>,
    pub(crate) resources: Mutex<Vec<Resource>>,
    pub(crate) keys: Mutex<Vec<String>>,
    /// From now on it takes requests and does not answer.
    pub(crate) hangs: AtomicBool,
}

impl Collector {
    /// Listens on a free port; answers with its address.
    pub(crate) async fn start() -> (Arc<Self>, String) {
        let collector = Arc::new(Self::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let this = collector.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let this = this.clone();
                let service = service_fn(move |request| {
                    let this = this.clone();
                    async move { Ok::<_, Infallible>(this.take(request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        (collector, url)
    }

    async fn take(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if self.hangs.load(Ordering::Acquire) {
            std::future::pending::<()>().await;
        }
        let is_protobuf = request.headers().get("content-type").is_some_and(|it| it == "application/x-protobuf");
        let key = request.headers().get("x-key").map(|it| it.to_str().unwrap().to_owned());
        self.keys.lock().unwrap().extend(key);
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        assert!(is_protobuf && !body.is_empty());
        match path.as_str() {
            "/v1/traces" => {
                for of in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
                    self.resources.lock().unwrap().extend(of.resource);
                    self.spans.lock().unwrap().extend(of.scope_spans.into_iter().flat_map(|it| it.spans));
                }
            }
            "/v1/metrics" => {
                for of in ExportMetricsServiceRequest::decode(body).unwrap().resource_metrics {
                    self.resources.lock().unwrap().extend(of.resource);
                    self.metrics.lock().unwrap().extend(of.scope_metrics.into_iter().flat_map(|it| it.metrics));
                }
            }
            other => panic!("{other}"),
        }
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::OK;
        response
    }

    /// The spans of a trace.
    pub(crate) fn trace(&self, id: &str) -> Vec<Span> {
        let spans = self.spans.lock().unwrap();
        spans.iter().filter(|it| hex(&it.trace_id) == id).cloned().collect()
    }

    /// The figures of a counter or gauge, as they were told last, of all series with these labels.
    pub(crate) fn figures(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let metrics = self.metrics.lock().unwrap();
        let metric = metrics.iter().rfind(|it| it.name == name);
        let points: &[NumberDataPoint] = match metric.and_then(|it| it.data.as_ref()) {
            Some(Data::Sum(it)) => &it.data_points,
            Some(Data::Gauge(it)) => &it.data_points,
            _ => &[],
        };
        let fits = |it: &&NumberDataPoint| {
            labels.iter().all(|(key, value)| attribute(&it.attributes, key).as_deref() == Some(value))
        };
        let figure = |it: &NumberDataPoint| match it.value.unwrap() {
            Number::AsInt(it) => it as f64,
            Number::AsDouble(it) => it,
        };
        points.iter().filter(fits).map(figure).collect()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|it| format!("{it:02x}")).collect()
}

/// The value of an attribute, if it is a text or a number.
pub(crate) fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|it| it.key == key)?.value.as_ref()?.value.as_ref()?;
    match value {
        Value::StringValue(it) => Some(it.clone()),
        Value::IntValue(it) => Some(it.to_string()),
        _ => None,
    }
}
