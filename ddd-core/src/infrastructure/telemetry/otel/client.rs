//! Sends requests to a collector from a thread and a runtime of its own.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::{Builder, Handle};

use crate::infrastructure::telemetry::error::TelemetryError;

/// The bytes of a collector's answer that are read.
const LONGEST_ANSWER: usize = 1 << 20;

/// An HTTP client that neither needs nor blocks the application's runtime.
pub(super) struct Sender {
    client: Client<HttpConnector, Full<Bytes>>,
    runtime: Handle,
    timeout: Duration,
    /// What was told last: that it fails, or that it does not.
    is_failing: AtomicBool,
}

impl Sender {
    pub(super) fn start(timeout: Duration) -> Result<Self, TelemetryError> {
        let told = |error: std::io::Error| TelemetryError::Export(format!("no thread could be started: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(told)?;
        let handle = runtime.handle().clone();
        let live = move || runtime.block_on(std::future::pending::<()>());
        std::thread::Builder::new().name("ddd-otlp".to_owned()).spawn(live).map_err(told)?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { client, runtime: handle, timeout, is_failing: AtomicBool::new(false) })
    }

    fn tell(&self, answer: &Result<Response<Bytes>, HttpError>) {
        let failure = match answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(answer.status().to_string()),
            Err(error) => Some(error.to_string()),
        };
        let was_failing = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(error) if !was_failing => {
                tracing::warn!(error, "the collector does not take telemetry; what does not fit the queues is dropped");
            }
            None if was_failing => tracing::info!("the collector takes telemetry again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (client, timeout) = (self.client.clone(), self.timeout);
        let exchange = async move {
            let answer = client.request(request.map(Full::new)).await?;
            let (parts, body) = answer.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await?.to_bytes();
            Ok::<_, HttpError>(Response::from_parts(parts, body))
        };
        let sent = self.runtime.spawn(async move { tokio::time::timeout(timeout, exchange).await });
        let answer = match sent.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(format!("no answer within {timeout:?}").into()),
            Err(error) => Err(error.into()),
        };
        self.tell(&answer);
        answer
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}
