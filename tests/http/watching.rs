//! Tasks are looked at: results, lists, figures.

use std::time::Duration;

use axum::{Extension, http::StatusCode};
use ddd_core::{
    App, Filter, MemoryStore, TaskId,
    testing::{self, Fault, StoreCall},
};
use ddd_tests::kit::troubled::Troubled;
use ddd_web::{Access, Api, Drain};
use serde_json::{Value, json};

use crate::support::{As, app, mounted, open};

#[tokio::test(start_paused = true)]
async fn a_result_is_waited_for() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let id = api.submit("my_custom_task", json!({ "input": "x" })).await;
    let path = format!("/tasks/{id}/result");
    let reply = api.get(&path).await;
    assert_eq!((reply.status, reply.json()["status"].clone()), (StatusCode::ACCEPTED, json!("pending")));
    let began = tokio::time::Instant::now();
    let reply = api.get(&format!("{path}?wait=5")).await;
    assert_eq!((reply.status, began.elapsed().as_secs()), (StatusCode::ACCEPTED, 5));
    // It is asked for before the task has run.
    let waiting = format!("{path}?wait=30s");
    let (reply, ()) = tokio::join!(api.get(&waiting), async { app.start_workers().await.unwrap() });
    assert!(began.elapsed() < Duration::from_secs(10), "the end was told");
    let ended = reply.ok();
    assert_eq!(
        (reply.status, ended["status"].clone(), ended["result"].clone()),
        (StatusCode::OK, json!("success"), json!("X"))
    );
    assert!(ended["duration"].is_number() && ended["finished_at"].is_string(), "{ended}");
    for bad in ["wait=soon", "wait=-1", "wait=1&wait=2", "wiat=1"] {
        api.get(&format!("{path}?{bad}")).await.problem(400, "invalid_query");
    }
    testing::shutdown(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_a_result_too() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let id = api.submit("fail", json!({ "message": "no paper" })).await;
    testing::drain(&app).await;
    let ended = api.get(&format!("/tasks/{id}/result?wait=1s")).await.ok();
    let seen = ["status", "result", "error"].map(|it| ended[it].clone());
    assert_eq!(seen, [json!("failed"), Value::Null, json!("no paper")]);
    assert_eq!(ended["errors"][0]["kind"], "error");
    assert_eq!((ended["errors"][0]["run"].clone(), ended["errors"][0]["attempt"].clone()), (json!(1), json!(1)));
}

#[tokio::test(start_paused = true)]
async fn a_list_shows_the_first_line_of_an_error_and_the_record_all_of_it() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let message = format!("no paper\nin tray 2, {}", "and none in the others ".repeat(20));
    let id = api.submit("fail", json!({ "message": message })).await;
    testing::drain(&app).await;
    let record = api.get(&format!("/tasks/{id}")).await.ok();
    assert_eq!((&record["error"], &record["errors"][0]["message"]), (&json!(message), &json!(message)));
    for path in ["/tasks", "/tasks/history?status=failed"] {
        let list = api.get(path).await.ok();
        assert_eq!(list["tasks"][0]["error"], "no paper", "{path}");
        // The rest of what a list shows is as in the record.
        for (member, shown) in list["tasks"][0].as_object().unwrap().iter().filter(|it| it.0 != "error") {
            assert_eq!(*shown, record[member], "{member}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_that_is_no_longer_kept_is_gone() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let id = api.submit("my_custom_task", json!({ "input": "x" })).await;
    testing::drain(&app).await;
    tokio::time::advance(Duration::from_secs(3 * 3_600)).await;
    api.get(&format!("/tasks/{id}/result")).await.problem(410, "result_expired");
    assert_eq!(api.get(&format!("/tasks/{id}")).await.ok()["result"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_with_the_service() {
    let app = app().await;
    let drain = Drain::new();
    let router = mounted(&Api::new(&app, Access::open())).layer(Extension(drain.clone()));
    let api = As(&router, "");
    let id = api.submit("nothing", json!({})).await;
    assert_eq!(api.get("/health/ready").await.status, StatusCode::SERVICE_UNAVAILABLE, "nobody works");
    app.start_workers().await.unwrap();
    app.tasks().handle::<()>(id.parse::<TaskId>().unwrap()).result().await.unwrap();
    let id = {
        app.tasks().pause("default").await.unwrap();
        api.submit("nothing", json!({})).await
    };
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(api.get("/health/ready").await.ok(), json!({ "status": "ready" }));
    let began = tokio::time::Instant::now();
    let path = format!("/tasks/{id}/result?wait=30");
    let (reply, ()) = tokio::join!(api.get(&path), async {
        drain.begin();
        let reply = api.get("/health/ready").await;
        assert_eq!(
            (reply.status, reply.json()["status"].clone()),
            (StatusCode::SERVICE_UNAVAILABLE, json!("not_ready"))
        );
        assert_eq!(api.get("/health/live").await.status, StatusCode::OK);
        drain.end_streams();
    });
    assert_eq!((reply.status, began.elapsed().as_secs()), (StatusCode::ACCEPTED, 0));
}

#[tokio::test(start_paused = true)]
async fn lists_are_cut_into_pages_that_hold_everything_once() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let mut all = Vec::new();
    for number in 0..7 {
        let name = if number % 2 == 0 { "nothing" } else { "hash" };
        let params = if number % 2 == 0 { json!({}) } else { json!({ "text": "x" }) };
        all.push((api.submit(name, params).await, name));
    }
    all.reverse();
    let wanted: Vec<_> = all.iter().filter(|it| it.1 == "nothing").map(|it| it.0.clone()).collect();
    let ids = |list: &Value| -> Vec<String> {
        list["tasks"].as_array().unwrap().iter().map(|it| it["task_id"].as_str().unwrap().to_owned()).collect()
    };
    let mut seen = Vec::new();
    let mut path = "/tasks?task_name=nothing&limit=3".to_owned();
    let cursor = loop {
        let list = api.get(&path).await.ok();
        seen.extend(ids(&list));
        assert_eq!(list["has_next"], list["next_cursor"].is_string());
        let Some(cursor) = list["next_cursor"].as_str() else { break path.rsplit_once('=').unwrap().1.to_owned() };
        path = format!("/tasks?task_name=nothing&limit=3&cursor={cursor}");
    };
    assert_eq!(seen, wanted);
    assert_eq!(ids(&api.get("/tasks?offset=2&limit=2").await.ok()), [all[2].0.clone(), all[3].0.clone()]);
    assert_eq!(ids(&api.get("/tasks?offset=7").await.ok()), [""; 0]);
    let summary = &api.get("/tasks?limit=1").await.ok()["tasks"][0];
    assert!(summary.get("params").is_none() && summary.get("result").is_none(), "what may be large is not listed");
    for other in ["", "task_name=hash&", "task_name=nothing&status=pending&"] {
        api.get(&format!("/tasks?{other}cursor={cursor}")).await.problem(400, "invalid_cursor");
    }
    for bad in ["x", &"0".repeat(48), &cursor.replace(&cursor[40..], "00000000")] {
        api.get(&format!("/tasks?task_name=nothing&cursor={bad}")).await.problem(400, "invalid_cursor");
    }
}

#[tokio::test(start_paused = true)]
async fn pages_by_offset_are_full_or_refused() {
    let store = Troubled::new(MemoryStore::new());
    let app = App::builder().store(store.clone()).build().await.unwrap();
    let router = open(&app);
    let api = As(&router, "");
    // More lie between them than the store looks through at once.
    for number in 0..8_600 {
        let submission = app.submit_named("nothing", json!({}));
        let is_rare = !(60..8_597).contains(&number);
        if is_rare {
            submission.tags(["rare"]).await.unwrap()
        } else {
            submission.await.unwrap()
        };
    }
    let slow = |millis| {
        store.plan(move |call| match call {
            StoreCall::Query => Fault::LateAnswer(Duration::from_millis(millis)),
            _ => Fault::None,
        });
    };
    let ids = |list: &Value| -> Vec<String> {
        list["tasks"].as_array().unwrap().iter().map(|it| it["task_id"].as_str().unwrap().to_owned()).collect()
    };
    slow(60);
    let short = api.get("/tasks?tag=rare").await.ok();
    assert_eq!((ids(&short).len(), &short["has_next"]), (3, &json!(true)), "who counts nothing waits for nothing");
    let mut seen = Vec::new();
    for (offset, count) in [(0, 50), (50, 13), (100, 0)] {
        let list = api.get(&format!("/tasks?tag=rare&offset={offset}")).await.ok();
        assert_eq!((ids(&list).len(), list["offset"].as_u64()), (count, Some(offset)));
        assert_eq!(list["has_next"], offset == 0);
        seen.extend(ids(&list));
    }
    let all = app.tasks().list(Filter::default().tag("rare"), None, 100).await.unwrap();
    assert_eq!(seen, all.items.iter().map(|it| it.id.to_string()).collect::<Vec<_>>(), "each was shown once");
    let cursor = short["next_cursor"].as_str().unwrap();
    let further = api.get(&format!("/tasks?tag=rare&cursor={cursor}")).await.ok();
    assert_eq!(ids(&further), seen[3..53], "the short page goes on where it ended");
    slow(2_100);
    let problem = api.get("/tasks?tag=rare&offset=50").await.problem(400, "offset_too_far");
    assert_eq!(problem["errors"][0]["parameter"], "offset", "{problem}");
    store.calm();
}

#[tokio::test(start_paused = true)]
async fn filters_narrow_a_list() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let ok = api.submit("nothing", json!({})).await;
    let failed = api.submit("fail", json!({ "message": "x" })).await;
    testing::drain(&app).await;
    tokio::time::advance(Duration::from_secs(60)).await;
    let order = api.submit("orders.place", json!({ "lines": [], "payment": "card" })).await;
    let count = async |query: &str| {
        let list = api.get(&format!("/tasks{query}")).await.ok();
        let ids = list["tasks"].as_array().unwrap().iter();
        ids.map(|it| it["task_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let cases: [(&str, &[&String]); 10] = [
        ("", &[&order, &failed, &ok]),
        ("/history", &[&failed, &ok]),
        ("?status=failed", &[&failed]),
        ("?status=failed,pending", &[&order, &failed]),
        ("/history?status=success", &[&ok]),
        ("?queue=orders", &[&order]),
        ("?tag=money", &[&order]),
        ("?q=orders.", &[&order]),
        ("?q=o", &[&order]),
        ("?since=2026-01-01T00:00:30Z", &[&order]),
    ];
    for (query, wanted) in cases {
        assert_eq!(count(query).await.iter().collect::<Vec<_>>(), wanted, "{query}");
    }
    let problem =
        api.get("/tasks?status=done&limit=201&offset=1001&since=now&tagg=x&q=").await.problem(400, "invalid_query");
    let faults: Vec<_> =
        problem["errors"].as_array().unwrap().iter().map(|it| it["parameter"].as_str().unwrap()).collect();
    assert_eq!(faults, ["status", "since", "limit", "offset", "tagg"], "{problem}");
    api.get("/tasks/history?status=pending").await.problem(400, "invalid_query");
    api.get("/tasks?offset=1&cursor=x").await.problem(400, "invalid_query");
}

#[tokio::test(start_paused = true)]
async fn secrets_are_not_shown() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let id = api.submit("login", json!({ "user": "ann", "password": "canary-7" })).await;
    for path in [format!("/tasks/{id}"), "/tasks".to_owned(), format!("/tasks/{id}/status")] {
        let reply = api.get(&path).await;
        assert!(reply.status.is_success() && !reply.text.contains("canary"), "{}", reply.text);
    }
    assert_eq!(api.get(&format!("/tasks/{id}")).await.ok()["params"]["password"], "***");
    let bad = api.post("/tasks/submit/login", json!({ "user": 1, "password": ["canary-7"] })).await;
    bad.problem(422, "invalid_body");
    assert!(!bad.text.contains("canary"), "{}", bad.text);
}

#[tokio::test(start_paused = true)]
async fn figures_are_told() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let before = api.get("/tasks/statistics").await.ok();
    for name in ["success_rate", "failure_rate", "average_duration", "median_duration", "worker_utilization"] {
        assert!(before[name].is_null(), "{name} when nothing has run: {before}");
    }
    api.submit("fail", json!({ "message": "x" })).await;
    for _ in 0..3 {
        api.submit("nothing", json!({})).await;
    }
    testing::drain(&app).await;
    api.post("/tasks/submit", json!({ "task_name": "nothing", "delay": "1h" })).await.ok();
    let all = api.get("/tasks/statistics").await.ok();
    let names = [
        "total_tasks",
        "queue_size",
        "pending_tasks",
        "running_tasks",
        "completed_tasks",
        "failed_tasks",
        "cancelled_tasks",
        "timeout_tasks",
        "success_rate",
        "failure_rate",
        "last_24h_completed",
        "last_24h_failed",
    ];
    let seen = names.map(|it| all[it].as_f64().unwrap());
    assert_eq!(seen, [5.0, 1.0, 0.0, 0.0, 3.0, 1.0, 0.0, 0.0, 0.75, 0.25, 3.0, 1.0], "{all}");
    assert_eq!(all["status_distribution"]["delayed"], 1);
    assert_eq!(all["priority_distribution"]["0"]["success"], 3);
    assert_eq!(all["tasks"]["nothing"]["submitted"], 4);
    assert_eq!((all["workers"].clone(), all["worker_utilization"].clone()), (json!(1), json!(0.0)));
    assert!(all["average_duration"].is_number() && all["median_duration"].is_number(), "{all}");
    testing::shutdown(&app).await;
}

#[tokio::test(start_paused = true)]
async fn the_registry_tells_what_can_be_submitted() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let all = api.get("/tasks/registry").await.ok();
    let names: Vec<_> = all["tasks"].as_array().unwrap().iter().map(|it| it["task_name"].as_str().unwrap()).collect();
    assert!(names.contains(&"orders.place") && !names.contains(&"housekeeping") && names.is_sorted(), "{names:?}");
    assert_eq!((all["total"].as_u64().unwrap() as usize, all["categories"]["shop"].clone()), (names.len(), json!(1)));
    let one = api.get("/tasks/registry/orders.place").await.ok();
    let seen =
        ["task_type", "description", "queue", "max_attempts", "timeout", "tags", "version"].map(|it| one[it].clone());
    let wanted = [
        json!("async"),
        json!("Places an order."),
        json!("orders"),
        json!(3),
        json!(300),
        json!(["shop", "money"]),
        json!(1),
    ];
    assert_eq!(seen, wanted, "{one}");
    assert_eq!(one["params"]["required"], json!(["lines", "payment"]));
    assert!(jsonschema::is_valid(&one["params"], &json!({ "lines": [], "payment": "cash" })));
    assert_eq!(api.get("/tasks/registry/hash").await.ok()["task_type"], "sync");
    assert_eq!(api.get("/tasks/registry/tick").await.ok()["schedule"], json!({ "every": 3_600 }));
    assert_eq!(api.get("/tasks/registry/login").await.ok()["secrets"], json!(["password"]));
    for query in ["?q=PLACES", "?category=shop", "?tag=money"] {
        assert_eq!(api.get(&format!("/tasks/registry{query}")).await.ok()["total"], 1, "{query}");
    }
    let text = api.get("/tasks/registry").await.text;
    assert!(!text.contains(".rs") && !text.contains("TaskContext"), "no file, no type of the program");
    api.get("/tasks/registry/unknown").await.problem(404, "task_name_unknown");
}
