//! How the service is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use ddd_core::testing;
use ddd_web::{Access, Api, ApiKey, Permission};
use serde_json::{Value, json};

use crate::support::{As, app, mounted, open};

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn the_applications_own_checks_are_made_together() {
    let app = app().await;
    let (is_broken, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (broken, counted) = (is_broken.clone(), calls.clone());
    let api = Api::new(&app, Access::open())
        .version("1.2.3")
        .check("mail", move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let is_broken = broken.load(Ordering::SeqCst);
            async move { if is_broken { Err("no route to the server") } else { Ok(()) } }
        })
        .check("slow", || async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok::<(), String>(())
        });
    let router = mounted(&api);
    let api = As(&router, "");
    assert_eq!(api.get("/health/sync").await.ok()["status"], Value::Null, "nothing is known yet");
    let began = tokio::time::Instant::now();
    let all = futures_util::future::join_all((0..20).map(|_| api.get("/health"))).await;
    assert_eq!((calls.load(Ordering::SeqCst), began.elapsed().as_secs()), (1, 2), "one look for all that ask at once");
    let health = all[0].ok();
    assert_eq!((health["status"].clone(), health["version"].clone()), (json!("healthy"), json!("1.2.3")), "{health}");
    let names: Vec<_> = health["checks"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["failures", "mail", "queues", "slow", "store", "workers"]);
    assert_eq!(health["checks"]["slow"]["duration"], 2);
    assert!(health["uptime"].is_number() && health["checked_at"].is_string(), "{health}");

    is_broken.store(true, Ordering::SeqCst);
    assert_eq!(api.get("/health/sync").await.ok()["status"], "healthy", "it looks at nothing");
    pass(5).await;
    let reply = api.get("/health").await;
    assert_eq!((reply.status, reply.json()["status"].clone()), (StatusCode::SERVICE_UNAVAILABLE, json!("unhealthy")));
    assert_eq!(reply.json()["checks"]["mail"]["message"], "no route to the server");
    assert_eq!(api.get("/health/sync").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(api.get("/health/ready").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(api.get("/health/live").await.ok(), json!({ "status": "alive" }));
    assert_eq!(api.get("/health/ping").await.ok(), json!({ "status": "ok", "message": "pong" }));
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_or_panics_is_one_that_fails() {
    let app = app().await;
    let api = Api::new(&app, Access::open())
        .check_timeout(Duration::from_secs(3))
        .check("hangs", std::future::pending::<Result<(), String>>)
        .check("panics", || async { if true { panic!("a mistake") } else { Ok::<(), String>(()) } })
        .check("at_once", || -> std::future::Ready<Result<(), String>> { panic!("before it began") });
    let router = mounted(&api);
    let began = tokio::time::Instant::now();
    let reply = As(&router, "").get("/health").await;
    assert_eq!((reply.status, began.elapsed().as_secs()), (StatusCode::SERVICE_UNAVAILABLE, 3));
    let checks = &reply.json()["checks"];
    assert_eq!(checks["hangs"]["message"], "no answer within 3s");
    assert_eq!(checks["panics"]["message"], "the check panicked");
    assert_eq!(checks["at_once"]["message"], "the check panicked");
    assert_eq!(checks["store"]["status"], "healthy");
}

#[tokio::test(start_paused = true)]
async fn old_tasks_failures_and_missing_workers_are_seen() {
    let app = app().await;
    let router = mounted(&Api::new(&app, Access::open()).queue_age_limit(Duration::from_secs(60)));
    let api = As(&router, "");
    let health = async || {
        pass(2).await;
        let reply = api.get("/health").await;
        (reply.status.as_u16(), reply.json())
    };
    assert_eq!(health().await.0, 200, "no work, no worker");
    api.submit("nothing", json!({})).await;
    let (status, body) = health().await;
    assert_eq!(
        (status, body["checks"]["workers"]["message"].clone()),
        (503, json!("no worker is alive, and so many tasks are ready: 1"))
    );
    app.tasks().pause("default").await.unwrap();
    assert_eq!(health().await.0, 200, "a paused queue needs no worker");
    app.start_workers().await.unwrap();
    pass(60).await;
    assert_eq!(health().await.1["checks"]["queues"]["status"], "healthy", "a paused queue may wait");
    // No worker of this process takes it.
    app.submit_named("nothing", ()).queue("elsewhere").await.unwrap();
    pass(60).await;
    let (status, body) = health().await;
    assert_eq!((status, body["status"].clone()), (200, json!("degraded")), "{body}");
    assert_eq!(body["checks"]["queues"]["message"], "a task of the queue `elsewhere` has been ready for 62 s");
    app.tasks().resume("default").await.unwrap();
    for _ in 0..11 {
        let id = api.submit("fail", json!({ "message": "x" })).await;
        api.get(&format!("/tasks/{id}/result?wait=60")).await.ok();
    }
    let (_, body) = health().await;
    assert_eq!(body["checks"]["failures"]["message"], "11 of the 12 runs that ended in the last 24 hours failed");
    testing::shutdown(&app).await;
}

#[tokio::test(start_paused = true)]
async fn strangers_learn_whether_it_works_and_no_more() {
    let app = app().await;
    let keys = [
        ApiKey::new("reader", "the-key-of-a-reader").allow(Permission::Read),
        ApiKey::new("observer", "the-key-of-an-observer").allow(Permission::Observe),
    ];
    let api = Api::new(&app, Access::api_keys(keys).unwrap())
        .check("db", || async { Err::<(), _>("password of shop@db.internal refused") });
    let router = mounted(&api);
    for key in ["", "the-key-of-a-reader", "the-key-of-no-one-at-all"] {
        for path in ["/health", "/health/sync"] {
            let reply = As(&router, key).get(path).await;
            assert_eq!((reply.status.as_u16(), reply.json()), (503, json!({ "status": "unhealthy" })));
        }
    }
    let text = As(&router, "the-key-of-an-observer").get("/health").await.text;
    assert!(text.contains("db.internal"), "{text}");
    let router = open(&app);
    assert_eq!(As(&router, "").get("/health").await.status, StatusCode::OK);
}
