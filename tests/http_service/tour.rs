//! Every route at least once, as a caller uses it.

use ddd_core::TaskStatus;
use serde_json::{Value, json};

use crate::{
    life::{submit, submit_with, until, until_that},
    support::{client::Client, events::Event},
};

pub(crate) async fn submitting(client: &Client) {
    // The request of the original's README, word for word.
    let body =
        r#"{"task_name":"my_custom_task","task_type":"async","params":{"input":"data"},"priority":1,"timeout":300}"#;
    let answer = client.post("/tasks/submit", serde_json::from_str(body).unwrap()).await;
    let location = answer.header("location").unwrap().to_owned();
    let submitted = answer.ok(202);
    let id = submitted["task_id"].as_str().unwrap();
    assert_eq!(submitted["task_name"], "my_custom_task");
    assert_eq!(location, format!("/api/v1/tasks/{id}"));
    until(client, id, TaskStatus::Success).await;
    let record = client.get(&format!("/tasks/{id}")).await.ok(200);
    assert_eq!((&record["priority"], &record["timeout"]), (&json!(1), &json!(300)));
    assert_eq!(record["result"], json!({ "input": "data", "length": 4 }));

    let typed = client.post("/tasks/submit/echo", json!({ "value": [1, 2] })).await.ok(202);
    let id = typed["task_id"].as_str().unwrap();
    let result = client.get(&format!("/tasks/{id}/result?wait=30s")).await.ok(200);
    assert_eq!(result["result"], json!([1, 2]));

    let id = submit(client, "greet", json!({ "name": "Ada" })).await;
    let result = client.get(&format!("/tasks/{id}/result?wait=30s")).await.ok(200);
    assert_eq!(result["result"], "Hello, Ada! You are guest number 1.");

    // A body that panics, and one that cannot be stopped, harm nobody else.
    let panicking = submit(client, "panic", json!({ "message": "oops" })).await;
    let stubborn = json!({ "task_name": "blocking_sleep", "params": { "ms": 1_500 }, "timeout": "50ms" });
    let stubborn = submit_with(client, stubborn).await;
    let record = until(client, &panicking, TaskStatus::Failed).await;
    assert_eq!(record["error"], "panicked: oops");
    let is_told = |it: &Value| it["status"] == "timeout" && it["still_running"] == true;
    until_that(client, &stubborn, "its timeout", is_told).await;

    let id = submit(client, "log_in", json!({ "user": "ada", "password": "correct horse" })).await;
    until(client, &id, TaskStatus::Success).await;
    let record = client.get(&format!("/tasks/{id}")).await.ok(200);
    assert_eq!(record["params"], json!({ "user": "ada", "password": "***" }));

    let problem = client.post("/tasks/submit", json!({ "task_name": "write_guestbook", "params": { "name": "x" } }));
    problem.await.problem(404, "task_name_unknown");
    let problem = client.post("/tasks/submit", json!({ "task_name": "sleep", "params": { "ms": "long", "and": 1 } }));
    let problem = problem.await.problem(422, "invalid_body");
    let pointers: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|it| it["pointer"].as_str()).collect();
    assert!(pointers.contains(&Some("/params/ms")) && pointers.contains(&Some("/params/and")), "{problem:#}");
}

pub(crate) async fn watching(client: &Client) {
    let mut all = client.events("/tasks/stream").await;
    // It begins when somebody watches.
    client.post("/queues/default/pause", Value::Null).await.ok(200);
    let id = submit(client, "count_to", json!({ "n": 5, "delay_ms": 20 })).await;
    let mut one = client.events(&format!("/tasks/{id}/stream")).await;
    let first = one.next().await.unwrap();
    assert!(first.name == "snapshot" && first.data["params"] == json!({ "n": 5, "delay_ms": 20 }), "{first:#?}");
    client.post("/queues/default/resume", Value::Null).await.ok(200);
    let (mut fractions, mut last) = (Vec::new(), first);
    while let Some(event) = one.next().await {
        assert_eq!(event.data["task_id"], id.as_str());
        fractions.extend(event.data["progress"]["fraction"].as_f64());
        last = event;
    }
    assert!(fractions.is_sorted() && fractions.last() == Some(&1.0), "{fractions:?}");
    // The last word is the record, as its own route shows it.
    assert_eq!((last.name.as_str(), &last.data["status"], &last.data["result"]), ("end", &json!("success"), &json!(5)));
    assert_eq!(last.data["links"]["self"], format!("/api/v1/tasks/{id}"));

    // A client that comes again with the last id that it saw misses nothing.
    let is_ours = |it: &Event, status: &str| it.data["task_id"] == id.as_str() && it.data["status"] == status;
    let began = all.find("its beginning", |it| is_ours(it, "pending")).await;
    drop(all);
    let again = client.clone().with("last-event-id", began.id.unwrap());
    let mut again = again.events("/tasks/stream?task_name=count_to").await;
    assert!(is_ours(&again.next().await.unwrap(), "running"));
    again.find("its success", |it| is_ours(it, "success")).await;
    let result = client.get(&format!("/tasks/{id}/result")).await.ok(200);
    assert_eq!(result["result"], 5);
}

pub(crate) async fn looking(client: &Client) {
    let page = client.get("/tasks?limit=2").await.ok(200);
    assert_eq!(page["tasks"].as_array().unwrap().len(), 2);
    let cursor = page["next_cursor"].as_str().unwrap();
    let next = client.get(&format!("/tasks?limit=2&cursor={cursor}")).await.ok(200);
    assert_ne!(next["tasks"][0]["task_id"], page["tasks"][0]["task_id"]);
    let failed = client.get("/tasks/history?status=failed&task_name=fail").await.ok(200);
    let failed = failed["tasks"].as_array().unwrap();
    assert!(!failed.is_empty() && failed.iter().all(|it| it["error"] == "nothing to be done"), "{failed:#?}");

    let statistics = client.get("/tasks/statistics").await.ok(200);
    assert!(statistics["total_tasks"].as_u64().unwrap() > 0, "{statistics:#}");

    let registry = client.get("/tasks/registry").await.ok(200);
    let names: Vec<_> =
        registry["tasks"].as_array().unwrap().iter().filter_map(|it| it["task_name"].as_str()).collect();
    for name in ["echo", "sleep", "count_to", "fail", "flaky", "panic", "blocking_sleep", "my_custom_task", "greet"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!names.contains(&"write_guestbook"), "{names:?}");
    let definition = client.get("/tasks/registry/sleep").await.ok(200);
    assert_eq!(definition["params"]["properties"]["ms"]["type"], "integer", "{definition:#}");
}

pub(crate) async fn changing(client: &Client) {
    let delayed = submit_with(client, json!({ "task_name": "echo", "params": { "value": 1 }, "delay": "1h" })).await;
    let path = format!("/tasks/{delayed}");
    client.patch(&path, json!({ "priority": 7 })).await.ok(200);
    assert_eq!(client.get(&path).await.ok(200)["priority"], 7);
    assert_eq!(client.delete(&path).await.ok(200)["cancelled"], true);
    assert_eq!(client.get(&path).await.ok(200)["status"], "cancelled");
    client.patch(&path, json!({ "priority": 8 })).await.problem(409, "status_conflict");

    client.post(&format!("{path}/retry"), Value::Null).await.ok(202);
    let result = client.get(&format!("{path}/result?wait=30s")).await.ok(200);
    assert_eq!(result["result"], 1);

    let later = submit_with(client, json!({ "task_name": "echo", "params": { "value": 1 }, "delay": "1h" })).await;
    let body = json!({ "task_ids": [later, delayed], "operation": "cancel" });
    let bulk = client.post("/tasks/bulk", body).await.ok(200);
    assert_eq!((&bulk["applied"], &bulk["refused"]), (&json!(1), &json!(1)), "{bulk:#}");

    let kept = client.post("/tasks/cleanup?older_than=1h", Value::Null).await.ok(200);
    assert_eq!(kept["deleted"], 0);
    // What is said where nobody reads it is refused, not passed over.
    client.post("/tasks/cleanup", json!({ "older_than": "0s" })).await.problem(422, "invalid_body");
    let problem = client.get("/tasks/cleanup/").await;
    assert_eq!(problem.header("allow"), Some("POST"));
    assert_eq!(problem.problem(405, "method_not_allowed")["detail"], "it takes POST");
    let body = json!({ "task_ids": [later], "operation": "delete" });
    client.post("/tasks/bulk", body).await.ok(200);
    client.get(&format!("/tasks/{later}")).await.problem(404, "task_not_found");
}

pub(crate) async fn operating(client: &Client) {
    let paused = client.post("/queues/imports/pause", Value::Null).await.ok(200);
    assert_eq!(paused["paused"], true);
    let resumed = client.post("/queues/imports/resume", Value::Null).await.ok(200);
    assert_eq!(resumed["paused"], false);
    let queues = client.get("/queues").await.ok(200);
    assert!(queues["queues"].as_array().unwrap().iter().any(|it| it["name"] == "imports"), "{queues:#}");

    let workers = client.get("/workers").await.ok(200);
    assert_eq!(workers["workers"].as_array().unwrap().len(), 1, "{workers:#}");

    let schedules = client.get("/schedules").await.ok(200);
    assert_eq!(schedules["schedules"][0]["name"], "tell_time", "{schedules:#}");
    assert_eq!(client.post("/schedules/tell_time/pause", Value::Null).await.ok(200)["paused"], true);
    assert_eq!(client.post("/schedules/tell_time/resume", Value::Null).await.ok(200)["paused"], false);
    let run = client.post("/schedules/tell_time/run", Value::Null).await.ok(202);
    until(client, run["task_id"].as_str().unwrap(), TaskStatus::Success).await;
}

pub(crate) async fn health(client: &Client) {
    for path in ["/health", "/health/sync", "/health/ping", "/health/live", "/health/ready"] {
        client.get(path).await.ok(200);
    }
}
