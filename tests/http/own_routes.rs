//! Routes of the application's own, beside those of the API and within `Api::layer`.

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Method, StatusCode},
    routing::{get, post},
};
use ddd_core::{App, TraceContext, current_trace};
use ddd_web::{Access, Api, ApiKey, Permission};
use serde_json::json;

use crate::{
    log::{Log, answered},
    support::{Reply, app, request, send},
    telling::TRACE,
};

const KEY: &str = "a-key-of-the-shop-0001";

async fn order(State(app): State<App>) -> String {
    tracing::info!("an order");
    let handle = app.submit_named("nothing", json!({})).await.unwrap();
    let trace = current_trace().as_ref().map(TraceContext::to_string);
    format!("{} {}", handle.id(), trace.unwrap_or_default())
}

async fn broken() -> &'static str {
    panic!("it was to panic: canary")
}

/// With everything within the layer, the API's own routes among them.
fn shop(app: &App, access: Access) -> Router {
    let api = Api::new(app, access);
    Router::new()
        .route("/orders/{customer}", post(order))
        .route("/broken", get(broken))
        .nest("/shop", Router::new().route("/inner/", get(async || "inner")))
        .nest("/api/v1", api.routes())
        .fallback(async || (StatusCode::IM_A_TEAPOT, "mine"))
        .layer(api.layer())
        .with_state(app.clone())
}

async fn ask(router: &Router, method: Method, path: &str, headers: &[(&str, &str)]) -> Reply {
    let ask = headers.iter().fold(request(method, path), |it, (name, value)| it.header(*name, *value));
    send(router, ask.body(Body::empty()).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_submits_has_the_id_and_the_trace_of_its_request() {
    let app = app().await;
    let key = ApiKey::new("shop", KEY).allow(Permission::Submit);
    let router = shop(&app, Access::api_keys([key]).unwrap());
    let order = async |headers: &[(&str, &str)]| {
        let reply = ask(&router, Method::POST, "/orders/7", headers).await;
        let (id, trace) = reply.text.split_once(' ').unwrap();
        let record = app.tasks().get(id.parse().unwrap()).await.unwrap().unwrap();
        let origin = record.origin().unwrap().clone();
        assert_eq!(origin.request_id.as_deref(), Some(reply.header("x-request-id")));
        assert_eq!(origin.traceparent.as_deref().unwrap_or_default(), trace);
        // Whose the task is stays the handler's to say.
        assert_eq!((origin.owner.clone(), origin.parent), (None, None));
        origin
    };
    let known = order(&[("x-request-id", "mine"), ("traceparent", TRACE), ("x-api-key", KEY)]).await;
    assert_eq!((known.request_id.as_deref(), known.traceparent.as_deref()), (Some("mine"), Some(TRACE)));
    // A stranger decides nothing about traces.
    let stranger = order(&[("traceparent", TRACE)]).await;
    assert_eq!((stranger.request_id.unwrap().len(), stranger.traceparent), (36, None));
    // Outside of requests there is nothing of them.
    assert!(app.submit_named("nothing", json!({})).await.unwrap().record().await.unwrap().unwrap().origin().is_none());
}

#[tokio::test(start_paused = true)]
async fn each_request_is_told_once_with_its_whole_route() {
    let app = app().await;
    let router = shop(&app, Access::open());
    let (log, guard) = Log::begin();
    let call = async || drop(ask(&router, Method::GET, "/broken", &[]).await);
    log.until(call, &["answered", "a handler panicked", "\"span\""]).await;
    log.until(async || drop(ask(&router, Method::POST, "/orders/7", &[]).await), &["an order"]).await;
    for path in ["/broken", "/shop/inner/", "/api/v1/health/ping/", "/api/v1/nowhere", "/nowhere/canary"] {
        let reply = ask(&router, Method::GET, path, &[]).await;
        assert_eq!(reply.headers.get_all("x-request-id").iter().count(), 1, "{path}");
        if path == "/broken" {
            reply.problem(500, "internal_error");
        }
    }
    let reply = ask(&router, Method::POST, "/orders/canary", &[("x-request-id", "mine")]).await;
    assert_eq!(reply.header("x-request-id"), "mine");
    drop(guard);
    let (text, lines) = (log.text(), log.lines());
    assert!(!text.contains("canary"), "{text}");
    let wanted = [
        ("/broken", 500),
        ("/shop/inner", 200),
        ("/api/v1/health/ping", 200),
        ("", 404),
        ("", 418),
        ("/orders/{customer}", 200),
    ];
    assert_eq!(answered(&lines), wanted, "{text}");
    let own = lines.iter().find(|it| it["fields"]["message"] == "an order").unwrap();
    assert_eq!(own["span"]["request_id"], "mine");
}
