//! An API in this process, and words to ask it in.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, request::Builder},
};
use ddd_core::App;
use ddd_web::{Access, Api};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// What was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The answer of a request that went well.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        self.json()
    }

    /// The problem of a request that did not, checked for what every problem must have.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{} {}", self.status, self.text);
        let problem = self.json();
        assert_eq!((self.status.as_u16(), problem["code"].as_str().unwrap()), (status, code), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["type"], format!("urn:problem-type:{code}"));
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        assert!(self.text.len() < 4_096, "{} bytes", self.text.len());
        problem
    }
}

/// Sends a request to a router.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> Reply {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Reply { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

/// A request without a body.
pub(crate) fn request(method: Method, path: &str) -> Builder {
    Request::builder().method(method).uri(path)
}

/// The application of the tests, with all their tasks and no worker yet.
pub(crate) async fn app() -> App {
    ddd_core::testing::builder().build().await.unwrap()
}

/// Everybody may do everything.
pub(crate) fn open(app: &App) -> Router {
    mounted(&Api::new(app, Access::open()))
}

pub(crate) fn mounted(api: &Api) -> Router {
    Router::new().nest("/api/v1", api.routes())
}

/// Where the routes are.
pub(crate) const BASE: &str = "/api/v1";

/// A caller: its key, and what it asks.
#[derive(Clone, Copy)]
pub(crate) struct As<'a>(pub(crate) &'a Router, pub(crate) &'a str);

impl As<'_> {
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&str>) -> Reply {
        let mut request = request(method, &format!("{BASE}{path}"));
        if !self.1.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.1));
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        send(self.0, request.body(Body::from(body.unwrap_or_default().to_owned())).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl ToString) -> Reply {
        self.send(Method::POST, path, Some(&body.to_string())).await
    }

    pub(crate) async fn patch(&self, path: &str, body: impl ToString) -> Reply {
        self.send(Method::PATCH, path, Some(&body.to_string())).await
    }

    /// Submits a task that must be taken, and answers with its id.
    pub(crate) async fn submit(&self, name: &str, params: Value) -> String {
        let taken = self.post("/tasks/submit", json!({ "task_name": name, "params": params })).await.ok();
        taken["task_id"].as_str().unwrap().to_owned()
    }
}

/// Asks with `GET`.
pub(crate) async fn get(router: &Router, path: &str) -> Reply {
    send(router, request(Method::GET, path).body(Body::empty()).unwrap()).await
}
