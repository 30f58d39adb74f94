//! Who may do what: every route of the table, asked by callers of every sort.

use axum::{Router, http::Method};
use ddd_core::{App, testing};
use ddd_web::{Access, AccessError, Api, ApiKey, Permission, Route};
use serde_json::json;

use crate::support::{As, Reply, app, mounted, request, send};

const OWNER: &str = "the-key-of-the-owner";
const ADMIN: &str = "the-key-of-the-admin";
const FOREIGN: &str = "the-key-of-a-stranger";
const READER: &str = "the-key-of-a-reader";
const OBSERVER: &str = "the-key-of-an-observer";
const NOTHING: &str = "the-key-of-a-nobody";

const ORDINARY: [Permission; 3] = [Permission::Read, Permission::SubmitWithOptions, Permission::Cancel];

fn with(name: &str, key: &str, permissions: &[Permission]) -> ApiKey {
    permissions.iter().fold(ApiKey::new(name, key), |key, it| key.allow(*it))
}

fn guarded(app: &App) -> Router {
    let keys = [
        with("owner", OWNER, &ORDINARY),
        with("foreign", FOREIGN, &ORDINARY),
        // The same owner, with fewer permissions.
        with("owner", READER, &[Permission::Read]),
        with("observer", OBSERVER, &[Permission::Observe, Permission::Cancel, Permission::SubmitWithOptions]),
        with("admin", ADMIN, &[Permission::Admin]),
        with("nobody", NOTHING, &[]),
    ];
    mounted(&Api::new(app, Access::api_keys(keys).unwrap()))
}

/// What a route needs to be asked, so that whoever may gets an answer that is no problem.
fn request_of(route: &Route, task: &str) -> (String, Option<String>) {
    let name = if route.path.contains("registry") || route.path.contains("submit") { "nothing" } else { task };
    let path = route
        .path
        .replace("{task_id}", task)
        .replace("{task_name}", name)
        .replace("{queue}", "default")
        .replace("{name}", "tick");
    let body = match (&route.method, route.path) {
        (&Method::POST, "/tasks/submit") => Some(json!({ "task_name": "nothing" })),
        (&Method::POST, "/tasks/submit/{task_name}") => Some(json!({})),
        (&Method::POST, "/tasks/bulk") => Some(json!({ "operation": "run_now", "task_ids": [task] })),
        (&Method::PATCH, _) => Some(json!({ "priority": 1 })),
        _ => None,
    };
    (path, body.map(|it| it.to_string()))
}

/// Whether a route is about one task.
fn is_about_a_task(route: &Route) -> bool {
    route.path.contains("{task_id}")
}

async fn ask(router: &Router, key: &str, route: &Route, task: &str) -> Reply {
    let (path, body) = request_of(route, task);
    As(router, key).send(route.method.clone(), &path, body.as_deref()).await
}

/// Streams never end, and are looked at elsewhere.
fn routes() -> impl Iterator<Item = &'static Route> {
    Api::route_table().iter().filter(|it| !it.path.ends_with("/stream"))
}

#[tokio::test(start_paused = true)]
async fn every_route_asks_for_its_permission() {
    let app = app().await;
    app.start_workers().await.unwrap();
    let router = guarded(&app);
    let (owner, admin) = (As(&router, OWNER), As(&router, ADMIN));
    admin.post("/queues/default/pause", "").await.ok();
    for route in routes() {
        let waiting = owner.submit("nothing", json!({})).await;
        let ended = owner.submit("nothing", json!({})).await;
        owner.delete(&format!("/tasks/{ended}")).await.ok();
        // A finished task is what can be run again.
        let task = if route.path.ends_with("/retry") { &ended } else { &waiting };
        let at = format!("{route}");
        let Some(permission) = route.permission else {
            for key in ["", "the-key-of-no-one-at-all", NOTHING, OWNER, ADMIN] {
                assert!(ask(&router, key, route, task).await.status.is_success(), "{at}");
            }
            continue;
        };
        ask(&router, "", route, task).await.problem(401, "unauthenticated");
        let wrong = ask(&router, "the-key-of-no-one-at-all", route, task).await;
        wrong.problem(401, "unauthenticated");
        assert_eq!(wrong.header("www-authenticate"), "Bearer");
        ask(&router, NOTHING, route, task).await.problem(403, "forbidden");
        let by_reader = ask(&router, READER, route, task).await;
        if permission == Permission::Read {
            assert!(by_reader.status.is_success(), "{at} {}", by_reader.text);
        } else {
            by_reader.problem(403, "forbidden");
        }
        let by_foreign = ask(&router, FOREIGN, route, task).await;
        if !ORDINARY.contains(&permission) && permission != Permission::Submit {
            by_foreign.problem(403, "forbidden");
        } else if is_about_a_task(route) {
            // The same as for a task that is not there at all.
            let mut foreign = by_foreign.problem(404, "task_not_found");
            let mut unknown = ask(&router, FOREIGN, route, "0193a5f0-7d5e-7000-8b3c-3f1d8f2f4a11")
                .await
                .problem(404, "task_not_found");
            foreign["request_id"].take();
            unknown["request_id"].take();
            assert_eq!(foreign, unknown);
        } else {
            assert!(by_foreign.status.is_success(), "{at} {}", by_foreign.text);
        }
        let by_observer = ask(&router, OBSERVER, route, task).await;
        if matches!(permission, Permission::Read | Permission::Observe | Permission::Submit) {
            assert!(by_observer.status.is_success(), "{at} {}", by_observer.text);
        } else {
            // It sees the task, so that it is there is no secret.
            by_observer.problem(403, "forbidden");
        }
        let by_admin = ask(&router, ADMIN, route, task).await;
        assert!(by_admin.status.is_success(), "{at} {}", by_admin.text);
    }
}

#[tokio::test(start_paused = true)]
async fn lists_hold_what_a_caller_owns() {
    let app = app().await;
    let router = guarded(&app);
    let (owner, foreign) = (As(&router, OWNER), As(&router, FOREIGN));
    let (one, two) = (owner.submit("nothing", json!({})).await, foreign.submit("nothing", json!({})).await);
    app.submit_named("nothing", ()).await.unwrap();
    testing::drain(&app).await;
    let ids = async |key: &str, path: &str| {
        let list = As(&router, key).get(path).await.ok();
        let tasks = list["tasks"].as_array().unwrap().iter();
        tasks.map(|it| it["task_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for path in ["/tasks", "/tasks/history"] {
        assert_eq!(ids(OWNER, path).await, [&*one]);
        assert_eq!(ids(FOREIGN, path).await, [&*two]);
        assert_eq!(ids(OBSERVER, path).await.len(), 3);
        assert_eq!(ids(ADMIN, path).await.len(), 3);
    }
    assert_eq!(ids(ADMIN, "/tasks?owner=owner").await, [one]);
    foreign.get("/tasks?owner=owner").await.problem(400, "invalid_query");
}

#[tokio::test(start_paused = true)]
async fn internal_tasks_are_for_those_who_observe() {
    let app = app().await;
    let router = guarded(&app);
    let mut origin = ddd_core::Origin::default();
    origin.owner = Some("owner".to_owned());
    let id = app.submit_named("housekeeping", ()).origin(origin).await.unwrap().id();
    let path = format!("/tasks/{id}");
    As(&router, OWNER).get(&path).await.problem(404, "task_not_found");
    As(&router, OWNER).delete(&path).await.problem(404, "task_not_found");
    assert_eq!(As(&router, OWNER).get("/tasks").await.ok()["tasks"], json!([]));
    assert_eq!(As(&router, ADMIN).get(&path).await.ok()["task_name"], "housekeeping");
    As(&router, ADMIN).get("/tasks/registry/housekeeping").await.problem(404, "task_name_unknown");
}

#[tokio::test(start_paused = true)]
async fn a_key_is_taken_in_either_header_and_only_whole() {
    let app = app().await;
    let router = guarded(&app);
    let ask = async |headers: &[(&str, &str)]| {
        let mut request = request(Method::GET, "/api/v1/tasks");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(&router, request.body(axum::body::Body::empty()).unwrap()).await.status.as_u16()
    };
    let bearer = format!("Bearer {OWNER}");
    let good: [&[(&str, &str)]; 4] = [
        &[("authorization", &bearer)],
        &[("authorization", &format!("bEARER  {OWNER} "))],
        &[("x-api-key", OWNER)],
        &[("x-api-key", OWNER), ("authorization", &bearer)],
    ];
    for headers in good {
        assert_eq!(ask(headers).await, 200, "{headers:?}");
    }
    let bad: [&[(&str, &str)]; 9] = [
        &[("authorization", OWNER)],
        &[("authorization", &format!("Basic {OWNER}"))],
        &[("authorization", "Bearer ")],
        &[("authorization", "Bearer")],
        &[("x-api-key", &OWNER[1..])],
        &[("x-api-key", &format!("{OWNER}x"))],
        &[("x-api-key", &OWNER.to_uppercase())],
        &[("x-api-key", OWNER), ("x-api-key", ADMIN)],
        &[("x-api-key", ADMIN), ("authorization", &bearer)],
    ];
    for headers in bad {
        assert_eq!(ask(headers).await, 401, "{headers:?}");
    }
}

#[test]
fn keys_that_cannot_be_taken_are_told_all_at_once() {
    let keys = [
        ApiKey::new("short", "too-short"),
        ApiKey::new("", "a key with spaces in it"),
        ApiKey::new("one", "the-very-same-key"),
        ApiKey::new("two", "the-very-same-key"),
    ];
    let error: AccessError = Access::api_keys(keys).unwrap_err();
    let text = error.to_string();
    for part in
        ["`short` has fewer than 16", "the owner of key 2", "visible ASCII", "`one` and `two` have the same key"]
    {
        assert!(text.contains(part), "{text}");
    }
    assert!(Access::api_keys([]).is_err());
    assert!(!text.contains("the-very-same-key") && !text.contains("too-short"), "{text}");
}

#[test]
fn keys_are_never_printed() {
    let key = || ApiKey::new("shop", OWNER).allow(Permission::Submit);
    let texts = [format!("{:?}", key()), format!("{:?}", Access::api_keys([key()]).unwrap())];
    for text in texts {
        assert!(text.contains("***") && text.contains("shop"), "{text}");
        assert!(!text.contains(OWNER), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_of_other_sites_change_nothing_where_no_key_is_asked_for() {
    let app = app().await;
    let router = crate::support::open(&app);
    let ask = async |method: Method, site: &str| {
        let path = if method == Method::GET { "/api/v1/queues" } else { "/api/v1/queues/default/pause" };
        let request = request(method, path).header("sec-fetch-site", site).body(axum::body::Body::empty()).unwrap();
        send(&router, request).await
    };
    ask(Method::POST, "cross-site").await.problem(403, "forbidden");
    ask(Method::POST, "same-site").await.problem(403, "forbidden");
    assert_eq!(ask(Method::GET, "cross-site").await.status, 200);
    assert_eq!(ask(Method::POST, "same-origin").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn names_that_strangers_may_point_here_are_not_answered_where_no_key_is_asked_for() {
    let app = app().await;
    let ask = async |access: Access, host: &str| {
        let router = Api::new(&app, access).routes::<()>();
        let router = Router::new().nest("/api/v1", router);
        let request =
            request(Method::GET, "/api/v1/queues").header("host", host).body(axum::body::Body::empty()).unwrap();
        send(&router, request).await
    };
    let refused = ask(Access::open(), "evil.example:8000").await;
    assert!(refused.problem(403, "forbidden")["detail"].as_str().unwrap().contains("localhost"));
    for own in ["localhost:8000", "127.0.0.1:8000", "[::1]:8000"] {
        assert_eq!(ask(Access::open(), own).await.status, 200, "{own}");
    }
    assert_eq!(ask(Access::open().on_any_address(), "tasks.example").await.status, 200);
    let known = Access::api_keys([ApiKey::new("shop", "a-long-random-secret")]).unwrap();
    ask(known, "tasks.example").await.problem(401, "unauthenticated");
}
