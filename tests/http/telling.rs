//! What every answer says of its request, what the log says, and how trouble is told.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode},
    response::IntoResponse as _,
};
use ddd_core::{App, MemoryStore, testing::Fault};
use ddd_tests::kit::troubled::Troubled;
use ddd_web::{Access, Api, Problem};
use serde_json::json;
use tower::ServiceExt as _;

use crate::{
    log::{Log, answered},
    support::{As, BASE, app, get, open, request, send},
};

pub(crate) const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[tokio::test(start_paused = true)]
async fn a_requests_id_is_kept_or_made() {
    let app = app().await;
    let router = open(&app);
    let ask = async |path: &str, ids: &[&[u8]]| {
        let request =
            ids.iter().fold(request(Method::GET, &format!("{BASE}{path}")), |it, id| it.header("x-request-id", *id));
        send(&router, request.body(Body::empty()).unwrap()).await
    };
    for good in ["a", "order-7.retry_2", &"x".repeat(128)] {
        for path in ["/health/ping", "/nowhere", "/tasks/x", "/tasks?limit=0"] {
            assert_eq!(ask(path, &[good.as_bytes()]).await.header("x-request-id"), good);
        }
    }
    let mut made = BTreeSet::new();
    for bad in ["", "a b", "a/b", "a\"b", "{}", "ä", &"x".repeat(129)] {
        let reply = ask("/health/ping", &[bad.as_bytes()]).await;
        let id = reply.header("x-request-id").to_owned();
        assert_eq!(id.len(), 36, "{bad:?} became {id}");
        assert!(made.insert(id), "each is new");
    }
    let reply = ask("/health/ping", &[]).await;
    assert!(made.insert(reply.header("x-request-id").to_owned()));
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
}

#[tokio::test(start_paused = true)]
async fn a_task_keeps_the_request_and_the_trace_that_led_to_it() {
    let app = app().await;
    let router = open(&app);
    let submit = async |headers: &[(&str, &str)]| {
        let mut request = Request::post(format!("{BASE}/tasks/submit/nothing"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply = send(&router, request.body(Body::empty()).unwrap()).await;
        let id = reply.ok()["task_id"].as_str().unwrap().to_owned();
        let record = get(&router, &format!("{BASE}/tasks/{id}")).await.ok();
        (reply, record)
    };
    let (_, record) = submit(&[("x-request-id", "mine"), ("traceparent", TRACE)]).await;
    assert_eq!((record["request_id"].clone(), record["traceparent"].clone()), (json!("mine"), json!(TRACE)));
    let (reply, record) = submit(&[("traceparent", "nonsense")]).await;
    assert_eq!(record["request_id"], reply.header("x-request-id"));
    assert!(record["traceparent"].is_null());
}

#[tokio::test(start_paused = true)]
async fn a_callers_trace_ends_here_where_that_is_said() {
    let app = app().await;
    let router = Router::new().nest(BASE, Api::new(&app, Access::open()).own_traces().routes());
    let ask = request(Method::POST, &format!("{BASE}/tasks/submit/nothing")).header("traceparent", TRACE);
    let id = send(&router, ask.body(Body::empty()).unwrap()).await.ok()["task_id"].as_str().unwrap().to_owned();
    let record = get(&router, &format!("{BASE}/tasks/{id}")).await.ok();
    assert!(record["traceparent"].is_null(), "{record}");
}

#[tokio::test(start_paused = true)]
async fn a_parameter_that_is_not_known_is_never_passed_over() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let id = api.submit("nothing", json!({})).await;
    for route in Api::route_table().iter().filter(|it| !it.path.starts_with("/health")) {
        let path = route.path.replace("{task_id}", &id).replace("{task_name}", "nothing");
        let path = path.replace("{queue}", "default").replace("{name}", "tick");
        let body = (route.method == Method::PATCH || route.path == "/tasks/bulk").then_some("{}");
        let reply = api.send(route.method.clone(), &format!("{path}?priorty=5"), body).await;
        let problem = reply.problem(400, "invalid_query");
        assert_eq!(problem["errors"][0]["parameter"], "priorty", "{route}");
    }
    assert_eq!(app.tasks().statistics().await.unwrap().submitted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_time_may_be_as_long_as_can_be_said() {
    let app = app().await;
    let router = crate::support::mounted(&Api::new(&app, Access::open()).stream_limits(1, Duration::MAX));
    let ask = request(Method::GET, &format!("{BASE}/tasks/stream")).body(Body::empty()).unwrap();
    assert_eq!(router.clone().oneshot(ask).await.unwrap().status(), 200);
    let problem = Problem::new(StatusCode::CONFLICT, "wait", "Wait").retry_after(Duration::MAX);
    assert_eq!(problem.into_response().headers()["retry-after"], u64::MAX.to_string());
}

#[tokio::test(start_paused = true)]
async fn the_log_has_a_line_for_each_request_and_nothing_that_callers_wrote() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let (log, guard) = Log::begin();
    let call = async || drop(api.post("/tasks/submit/explode", json!({ "mine": 1 })).await);
    log.until(call, &["answered", "a handler panicked", "\"span\""]).await;
    api.submit("nothing", json!({})).await;
    get(&router, &format!("{BASE}/tasks/forged%0Aline?q=canary")).await;
    api.post("/tasks/submit", json!({ "task_name": "canary", "params": { "password": "canary" } })).await;
    api.post("/tasks/submit/explode", json!({ "mine": 1 })).await;
    drop(guard);
    let (text, lines) = (log.text(), log.lines());
    assert!(!text.contains("canary") && !text.contains("forged"), "{text}");
    let wanted = [
        ("/api/v1/tasks/submit", 202),
        ("/api/v1/tasks/{task_id}", 400),
        ("/api/v1/tasks/submit", 404),
        ("/api/v1/tasks/submit/{task_name}", 500),
    ];
    assert_eq!(answered(&lines), wanted, "{text}");
    let answered: Vec<_> = lines.iter().filter(|it| it["fields"]["message"] == "answered").collect();
    assert!(answered.iter().all(|it| it["span"]["request_id"].as_str().unwrap().len() == 36));
    assert!(
        answered.iter().all(|it| it["span"].get("http.response.status_code").is_none()),
        "the status is told twice"
    );
    let panicked = lines.iter().find(|it| it["fields"]["message"] == "a handler panicked").unwrap();
    assert_eq!(panicked["span"]["request_id"], answered[3]["span"]["request_id"]);
}

#[tokio::test(start_paused = true)]
async fn trouble_of_the_store_is_told_as_such() {
    let store = Troubled::new(MemoryStore::new());
    let app = App::builder().store(store.clone()).build().await.unwrap();
    let router = open(&app);
    let api = As(&router, "");
    let id = api.submit("nothing", json!({})).await;
    for trouble in [Fault::Fails, Fault::Hangs, Fault::Panics] {
        store.plan(move |_| trouble);
        for route in Api::route_table() {
            if route.path.starts_with("/health") || route.path.contains("registry") || route.path.ends_with("stream") {
                continue;
            }
            let path = route.path.replace("{task_id}", &id).replace("{task_name}", "nothing");
            let path = path.replace("{queue}", "default").replace("{name}", "tick");
            let body = match route.path {
                "/tasks/submit" => Some(r#"{"task_name":"nothing"}"#),
                "/tasks/bulk" => Some(r#"{"operation":"cancel","all":true}"#),
                _ if route.method == Method::PATCH => Some(r#"{"priority":1}"#),
                _ => None,
            };
            let reply = api.send(route.method.clone(), &path, body).await;
            reply.problem(503, "store_unavailable");
            assert!(reply.header("retry-after").parse::<u64>().unwrap() > 0, "{route}");
            assert!(!reply.text.contains("sent it away"), "{}", reply.text);
        }
        let health = api.get("/health").await;
        assert_eq!(health.status.as_u16(), 503, "{}", health.text);
        assert!(!health.text.contains("sent it away"), "{}", health.text);
        tokio::time::advance(Duration::from_secs(2)).await;
    }
    store.calm();
    assert_eq!(api.get(&format!("/tasks/{id}")).await.ok()["status"], "pending");
}

#[tokio::test(start_paused = true)]
async fn there_is_room_for_so_many_streams() {
    let app = app().await;
    let router = open(&app);
    let mut open = Vec::new();
    let ask = || request(Method::GET, &format!("{BASE}/tasks/stream")).body(Body::empty()).unwrap();
    loop {
        let response = router.clone().oneshot(ask()).await.unwrap();
        if !response.status().is_success() {
            break;
        }
        open.push(response);
    }
    assert_eq!(open.len(), 100);
    let reply = send(&router, ask()).await;
    reply.problem(503, "too_many_streams");
    assert!(reply.header("retry-after").parse::<u64>().unwrap() > 0);
    drop(open);
    for _ in 0..100 {
        if router.clone().oneshot(ask()).await.unwrap().status() == 200 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("streams that ended make room");
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|it| it == "rs") {
            found.push(entry);
        }
    }
}

#[test]
fn every_code_of_the_table_is_met_in_a_test() {
    let mut files = Vec::new();
    for folder in fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap().map(|it| it.unwrap().path()) {
        if folder.file_name().unwrap().to_str().unwrap().starts_with("http") {
            sources(&folder, &mut files);
        }
    }
    let text: String = files.iter().map(|it| fs::read_to_string(it).unwrap()).collect();
    let codes: Vec<_> = Problem::codes().iter().map(|it| it.code).collect();
    let unmet: Vec<_> = codes.iter().filter(|it| !text.contains(&format!("\"{it}\""))).collect();
    assert!(unmet.is_empty(), "no test meets {unmet:?}");
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "no code is there twice");
    assert!(Problem::codes().is_sorted_by_key(|it| it.status), "by status");
}
