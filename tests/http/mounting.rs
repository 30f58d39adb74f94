//! Mounted into an application that has its own state, fallback and routes.

use axum::{
    Router,
    extract::State,
    http::{Method, StatusCode},
    routing::get,
};
use ddd_core::App;
use ddd_web::{Access, Api};

use crate::support::{get as ask, request, send};

#[derive(Clone)]
struct Shop(&'static str);

async fn shop() -> Router {
    let app = App::builder().definitions([]).build().await.unwrap();
    let api = Api::new(&app, Access::open());
    let inner = Router::new().route("/inner", get(async |State(shop): State<Shop>| shop.0));
    Router::new()
        .route("/orders", get(async |State(shop): State<Shop>| shop.0))
        .nest("/api/v1", api.routes())
        .nest("/tenants/{tenant}/tasks-api", api.routes())
        .nest("/more", inner)
        .fallback(async || (StatusCode::IM_A_TEAPOT, "mine"))
        .with_state(Shop("state"))
}

#[tokio::test]
async fn everything_else_stays_the_applications_own() {
    let router = shop().await;
    for path in ["/orders", "/more/inner"] {
        assert_eq!(ask(&router, path).await.text, "state");
    }
    // axum does not count the prefix with a slash and nothing after it as nested.
    for path in ["/", "/nowhere", "/api", "/api/v1/", "/api/v2/tasks", "/more/nowhere", "/tenants/7"] {
        let reply = ask(&router, path).await;
        assert_eq!((reply.status, reply.text.as_str()), (StatusCode::IM_A_TEAPOT, "mine"), "{path}");
    }
}

#[tokio::test]
async fn the_prefix_is_the_apis_alone() {
    let router = shop().await;
    for prefix in ["/api/v1", "/tenants/7/tasks-api"] {
        for path in ["/health/ping", "/health/ping/"] {
            assert_eq!(ask(&router, &format!("{prefix}{path}")).await.ok()["message"], "pong");
        }
        for path in ["", "/nowhere", "/health/ping/more", "/tasks/a/b/c", "/health//ping", "/%ff"] {
            ask(&router, &format!("{prefix}{path}")).await.problem(404, "route_not_found");
        }
        // A parameter of the application's own path is not taken for one of the route's.
        ask(&router, &format!("{prefix}/tasks/7")).await.problem(404, "task_not_found");
    }
}

#[tokio::test]
async fn another_method_is_told_which_there_are() {
    let router = shop().await;
    for method in [Method::POST, Method::OPTIONS, Method::from_bytes(b"BREW").unwrap()] {
        let brew = request(method, "/api/v1/health/ping").body(axum::body::Body::empty()).unwrap();
        let reply = send(&router, brew).await;
        reply.problem(405, "method_not_allowed");
        assert_eq!(reply.header("allow"), "GET, HEAD");
    }
    let head = request(Method::HEAD, "/api/v1/health/ping").body(axum::body::Body::empty()).unwrap();
    let reply = send(&router, head).await;
    assert_eq!((reply.status, reply.text.as_str()), (StatusCode::OK, ""));
    assert_ne!(reply.header("content-length"), "0");
}
