//! Tasks, queues and schedules are changed.

use std::time::Duration;

use axum::http::StatusCode;
use ddd_core::testing;
use serde_json::{Value, json};

use crate::support::{As, app, open};

#[tokio::test(start_paused = true)]
async fn a_task_is_cancelled_wherever_it_is() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let waiting = api.submit("nothing", json!({})).await;
    let reply = api.delete(&format!("/tasks/{waiting}?reason=not%20wanted")).await;
    let seen = ["cancelled", "status", "reason"].map(|it| reply.ok()[it].clone());
    assert_eq!((reply.status, seen), (StatusCode::OK, [json!(true), json!("cancelled"), json!("not wanted")]));
    let again = api.delete(&format!("/tasks/{waiting}?reason=another")).await;
    let seen = ["cancelled", "status", "reason"].map(|it| again.ok()[it].clone());
    let recorded = [json!(true), json!("cancelled"), json!("not wanted")];
    assert_eq!((again.status, seen), (StatusCode::OK, recorded), "said twice, done once");
    let record = api.get(&format!("/tasks/{waiting}")).await.ok();
    assert_eq!(record["error"], "not wanted");

    app.start_workers().await.unwrap();
    let mut transitions = app.tasks().transitions();
    let running = api.submit("wait", json!({})).await;
    while transitions.next().await.unwrap().to != ddd_core::TaskStatus::Running {}
    let reply = api.delete(&format!("/tasks/{running}")).await;
    assert_eq!((reply.status, reply.json()["cancelled"].clone()), (StatusCode::ACCEPTED, json!(false)));
    let again = api.delete(&format!("/tasks/{running}?reason=another")).await;
    assert_eq!((again.status, again.json()["reason"].clone()), (StatusCode::ACCEPTED, json!("cancelled over HTTP")));
    assert_eq!(api.get(&format!("/tasks/{running}/result?wait=30s")).await.ok()["status"], "cancelled");

    let ended = api.submit("nothing", json!({})).await;
    api.get(&format!("/tasks/{ended}/result?wait=30s")).await.ok();
    let problem = api.delete(&format!("/tasks/{ended}")).await.problem(409, "status_conflict");
    assert!(problem["detail"].as_str().unwrap().contains("`success`"), "{problem}");
    api.delete(&format!("/tasks/{ended}?reason={}", "x".repeat(501))).await.problem(400, "invalid_query");
    api.delete("/tasks/nonsense").await.problem(404, "task_not_found");
    testing::shutdown(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_finished_task_runs_again() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let id = api.submit("fail", json!({ "message": "x" })).await;
    let path = format!("/tasks/{id}/retry");
    api.post(&path, "").await.problem(409, "status_conflict");
    testing::drain(&app).await;
    app.tasks().pause("default").await.unwrap();
    let reply = api.post(&path, "").await;
    assert_eq!((reply.status, reply.json()["status"].clone()), (StatusCode::ACCEPTED, json!("pending")));
    assert_eq!(reply.header("location"), format!("/api/v1/tasks/{id}"));
    assert_eq!(api.get(&format!("/tasks/{id}")).await.ok()["run"], 2);
    testing::shutdown(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_waiting_task_gets_another_priority_and_time() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let id = api.submit("nothing", json!({})).await;
    let path = format!("/tasks/{id}");
    assert_eq!(api.patch(&path, json!({ "priority": 7, "delay": "1h" })).await.ok()["status"], "delayed");
    let record = api.get(&path).await.ok();
    assert_eq!((record["priority"].clone(), record["due"].clone()), (json!(7), json!("2026-01-01T01:00:00Z")));
    assert_eq!(api.patch(&path, json!({ "run_at": "2025-01-01T00:00:00Z" })).await.ok()["status"], "pending");
    for bad in [
        json!({}),
        json!({ "priority": null }),
        json!({ "priority": 11 }),
        json!({ "delay": 1, "run_at": "2026-01-01T00:00:00Z" }),
        json!({ "due": "now" }),
    ] {
        api.patch(&path, bad).await.problem(422, "invalid_body");
    }
    testing::drain(&app).await;
    api.patch(&path, json!({ "priority": 1 })).await.problem(409, "status_conflict");
    testing::shutdown(&app).await;
}

#[tokio::test(start_paused = true)]
async fn many_tasks_are_changed_at_once() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(api.submit("nothing", json!({})).await);
    }
    let bulk = async |body: Value| api.post("/tasks/bulk", body).await;
    let unknown = "0193a5f0-7d5e-7000-8b3c-3f1d8f2f4a11";
    let asked = json!({ "operation": "cancel", "task_ids": [ids[0], ids[1], ids[0], unknown] });
    let expected = json!({ "operation": "cancel", "applied": 2, "requested": 0, "refused": 0, "unknown": 1 });
    assert_eq!(bulk(asked).await.ok(), expected);
    let done = bulk(json!({ "operation": "reprioritise", "priority": 5, "status": "pending" })).await.ok();
    assert_eq!((done["applied"].clone(), done["unknown"].clone()), (json!(2), Value::Null));
    assert_eq!(api.get(&format!("/tasks/{}", ids[3])).await.ok()["priority"], 5);
    let done =
        bulk(json!({ "operation": "retry", "status": ["cancelled", "failed"], "task_name": "nothing" })).await.ok();
    assert_eq!(done["applied"], 2);
    testing::drain(&app).await;
    assert_eq!(bulk(json!({ "operation": "delete", "all": true })).await.ok()["applied"], 4);
    api.get(&format!("/tasks/{}", ids[3])).await.problem(404, "task_not_found");
    let many: Vec<_> = (0..1_001).map(|_| unknown).collect();
    for bad in [
        json!({}),
        json!({ "operation": "cancel" }),
        json!({ "operation": "cancel", "all": false }),
        json!({ "operation": "explode", "all": true }),
        json!({ "operation": "reprioritise", "all": true }),
        json!({ "operation": "cancel", "all": true, "priority": 1 }),
        json!({ "operation": "cancel", "task_ids": [] }),
        json!({ "operation": "cancel", "task_ids": ["x"] }),
        json!({ "operation": "cancel", "task_ids": many }),
        json!({ "operation": "cancel", "task_ids": [unknown], "all": true }),
        json!({ "operation": "cancel", "status": "done" }),
        json!({ "operation": "cancel", "stauts": "pending" }),
        json!({ "operation": "cancel", "all": "yes" }),
    ] {
        bulk(bad).await.problem(422, "invalid_body");
    }
    testing::shutdown(&app).await;
}

#[tokio::test(start_paused = true)]
async fn old_records_are_dropped() {
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    api.submit("nothing", json!({})).await;
    testing::drain(&app).await;
    let cleanup = async |query: &str| api.post(&format!("/tasks/cleanup{query}"), "").await;
    assert_eq!(cleanup("").await.ok(), json!({ "deleted": 0, "older_than": 86_400 }));
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert_eq!(cleanup("?max_age_hours=2").await.ok()["deleted"], 0);
    assert_eq!(cleanup("?older_than=30m").await.ok(), json!({ "deleted": 1, "older_than": 1_800 }));
    for bad in ["?max_age_hours=-1", "?older_than=x", "?older_than=1&max_age_hours=1", "?max_history=100"] {
        cleanup(bad).await.problem(400, "invalid_query");
    }
    testing::shutdown(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_queue_is_paused_and_goes_on() {
    let app = app().await;
    app.start_workers().await.unwrap();
    let router = open(&app);
    let api = As(&router, "");
    let paused = api.post("/queues/orders/pause", "").await.ok();
    assert_eq!((paused["name"].clone(), paused["paused"].clone()), (json!("orders"), json!(true)));
    let id = api.submit("orders.place", json!({ "lines": [], "payment": "cash" })).await;
    let reply = api.get(&format!("/tasks/{id}/result?wait=10s")).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let queues = api.get("/queues").await.ok();
    let orders = queues["queues"].as_array().unwrap().iter().find(|it| it["name"] == "orders").unwrap();
    assert_eq!((orders["depth"].clone(), orders["paused"].clone()), (json!(1), json!(true)), "{orders}");
    assert_eq!(orders["counts"]["pending"], 1);
    api.post("/queues/orders/resume", "").await.ok();
    assert_eq!(api.get(&format!("/tasks/{id}/result?wait=10s")).await.ok()["status"], "success");
    for name in ["ordres", "a%20b", "%ff", "..%2f"] {
        api.post(&format!("/queues/{name}/pause"), "").await.problem(404, "queue_not_found");
    }
    let workers = api.get("/workers").await.ok();
    let [worker] = &workers["workers"].as_array().unwrap()[..] else { panic!("{workers}") };
    assert!(worker["slots"].as_u64().unwrap() > 0 && worker["worker_id"].is_string(), "{worker}");
    testing::shutdown(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_schedule_is_paused_goes_on_and_runs_now() {
    let app = app().await;
    app.start_workers().await.unwrap();
    let router = open(&app);
    let api = As(&router, "");
    let all = api.get("/schedules").await.ok();
    let [tick] = &all["schedules"].as_array().unwrap()[..] else { panic!("{all}") };
    assert_eq!((tick["name"].clone(), tick["next_tick"].clone()), (json!("tick"), json!("2026-01-01T01:00:00Z")));
    assert_eq!(tick["rule"], "every 1h");
    assert_eq!(api.post("/schedules/tick/pause", "").await.ok()["paused"], true);
    assert_eq!(api.post("/schedules/tick/resume", "").await.ok()["paused"], false);
    let reply = api.post("/schedules/tick/run", "").await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text);
    let id = reply.json()["task_id"].as_str().unwrap().to_owned();
    assert_eq!(reply.header("location"), format!("/api/v1/tasks/{id}"));
    let record = api.get(&format!("/tasks/{id}")).await.ok();
    assert_eq!(
        (record["schedule"].clone(), record["request_id"].clone()),
        (json!("tick"), json!(reply.header("x-request-id")))
    );
    for route in ["pause", "resume", "run"] {
        api.post(&format!("/schedules/tock/{route}"), "").await.problem(404, "schedule_not_found");
    }
    testing::shutdown(&app).await;
}

#[tokio::test(start_paused = true)]
async fn schedules_show_no_secrets() {
    const CANARY: &str = "canary-4711";
    let app = app().await;
    let router = open(&app);
    let api = As(&router, "");
    let hourly = ddd_core::Schedule::every(Duration::from_secs(3_600)).unwrap();
    let params = json!({ "user": "ann", "password": CANARY });
    app.tasks().schedules().put_named("sign_in", hourly, "login", &params).await.unwrap();
    let replies = [
        api.get("/schedules").await,
        api.post("/schedules/sign_in/pause", "").await,
        api.post("/schedules/sign_in/resume", "").await,
        api.post("/schedules/sign_in/run", "").await,
    ];
    for reply in &replies {
        assert!(reply.status.is_success() && !reply.text.contains(CANARY), "{} {}", reply.status, reply.text);
    }
    assert_eq!(replies[1].json()["params"], json!({ "user": "ann", "password": "***" }));
    let id = replies[3].json()["task_id"].as_str().unwrap().parse().unwrap();
    let stored = app.store().get(vec![id]).await.unwrap().remove(0).unwrap();
    assert!(stored.params.get().contains(CANARY), "the task itself has it whole");
}
