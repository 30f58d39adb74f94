//! A caller over HTTP that remembers what it called.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, body::Bytes, body::Incoming};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use super::{events::Events, soon};

/// Where the playground mounts the routes.
pub(crate) const PREFIX: &str = "/api/v1";

/// Calls that were answered well, by method and path without the prefix.
pub(crate) type Visited = Arc<Mutex<BTreeSet<(String, String)>>>;

#[derive(Clone)]
pub(crate) struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    url: String,
    headers: Vec<(&'static str, String)>,
    visited: Visited,
}

/// An answer that was read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// `Null` if there is none.
    pub(crate) body: Value,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        let http = legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { http, url: url.to_owned(), headers: Vec::new(), visited: Visited::default() }
    }

    /// The same caller, with this header in all requests.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn visited(&self) -> BTreeSet<(String, String)> {
        self.visited.lock().unwrap().clone()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// `Null` is no body.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let what = format!("{method} {path}");
        let answer = soon(&what, async {
            let response = self.send(method, path, body.filter(|it| !it.is_null())).await;
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            let body = match &*bytes {
                [] => Value::Null,
                json => {
                    serde_json::from_slice(json).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(json).into()))
                }
            };
            Answer { status: parts.status, headers: parts.headers, body }
        });
        answer.await
    }

    /// A stream of events.
    pub(crate) async fn events(&self, path: &str) -> Events {
        let response = soon(path, self.send(Method::GET, path, None)).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert_eq!(response.headers()["content-type"], "text/event-stream", "{path}");
        Events::new(response.into_body())
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response<Incoming> {
        let mut request = Request::builder().method(&method).uri(format!("{}{PREFIX}{path}", self.url));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let bytes = body.map(|it| it.to_string()).unwrap_or_default();
        let response = self.http.request(request.body(Full::new(bytes.into())).unwrap()).await.unwrap();
        if response.status().is_success() {
            let path = path.split('?').next().unwrap_or_default();
            self.visited.lock().unwrap().insert((method.to_string(), path.to_owned()));
        }
        response
    }
}

impl Answer {
    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn ok(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:#?}");
        self.body
    }

    /// Checks that it is a problem document with this status and code, and answers with it.
    #[track_caller]
    pub(crate) fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self:#?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:#?}");
        assert_eq!(self.body["code"], code, "{self:#?}");
        assert_eq!(self.body["status"], status, "{self:#?}");
        assert_eq!(self.body["request_id"].as_str(), self.header("x-request-id"), "{self:#?}");
        self.body
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|it| it.to_str().unwrap())
    }
}
