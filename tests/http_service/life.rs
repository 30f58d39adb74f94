//! Every status of a task's life, reached from outside.

use std::{collections::BTreeSet, time::Duration};

use ddd_core::TaskStatus;
use serde_json::{Value, json};

use crate::support::{client::Client, soon};

/// Submits a task; answers with its id.
pub(crate) async fn submit(client: &Client, task_name: &str, params: Value) -> String {
    submit_with(client, json!({ "task_name": task_name, "params": params })).await
}

/// The same with more than name and parameters.
pub(crate) async fn submit_with(client: &Client, body: Value) -> String {
    let answer = client.post("/tasks/submit", body).await;
    answer.ok(202)["task_id"].as_str().unwrap().to_owned()
}

/// Waits until a task is in this status.
pub(crate) async fn until(client: &Client, id: &str, status: TaskStatus) -> Value {
    until_that(client, id, &status.to_string(), |it| it["status"] == status.to_string()).await
}

/// Waits until a task's status satisfies the condition.
pub(crate) async fn until_that(client: &Client, id: &str, what: &str, condition: impl Fn(&Value) -> bool) -> Value {
    let path = format!("/tasks/{id}/status");
    soon(what, async {
        loop {
            let status = client.get(&path).await.ok(200);
            if condition(&status) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

pub(crate) async fn every_status(client: &Client) {
    let mut stream = client.events("/tasks/stream").await;
    let mut reached = BTreeSet::new();
    let mut reach = async |id: &str, status: TaskStatus| {
        until(client, id, status).await;
        reached.insert(status);
    };

    client.post("/queues/default/pause", Value::Null).await.ok(200);
    let echo = submit(client, "echo", json!({ "value": 1 })).await;
    reach(&echo, TaskStatus::Pending).await;
    client.post("/queues/default/resume", Value::Null).await.ok(200);
    reach(&echo, TaskStatus::Success).await;

    let delayed = submit_with(client, json!({ "task_name": "echo", "params": { "value": 1 }, "delay": "1h" })).await;
    reach(&delayed, TaskStatus::Delayed).await;

    let sleeping = submit(client, "sleep", json!({ "ms": 600_000 })).await;
    reach(&sleeping, TaskStatus::Running).await;
    client.delete(&format!("/tasks/{sleeping}")).await;
    reach(&sleeping, TaskStatus::Cancelled).await;

    let late =
        submit_with(client, json!({ "task_name": "sleep", "params": { "ms": 600_000 }, "timeout": "50ms" })).await;
    reach(&late, TaskStatus::Timeout).await;

    let failing = submit(client, "fail", json!({ "message": "nothing to be done" })).await;
    reach(&failing, TaskStatus::Failed).await;

    let imports = [0, 1].map(|_| json!({ "tenant": "north", "ms": 600_000 }));
    let [first, second] = imports.map(|params| submit(client, "import", params));
    let (first, second) = (first.await, second.await);
    reach(&second, TaskStatus::Blocked).await;
    for id in [first, second] {
        client.delete(&format!("/tasks/{id}")).await;
        until(client, &id, TaskStatus::Cancelled).await;
    }

    let remote = submit(client, "translate", json!({ "text": "pomme" })).await;
    reach(&remote, TaskStatus::Parked).await;
    client.delete(&format!("/tasks/{remote}")).await;

    // It is over soon: the stream tells of it.
    let flaky = submit(client, "flaky", json!({ "key": "life", "failures": 1 })).await;
    stream.find("a retry", |it| it.data["task_id"] == flaky.as_str() && it.data["status"] == "retrying").await;
    reached.insert(TaskStatus::Retrying);
    until(client, &flaky, TaskStatus::Success).await;

    assert_eq!(reached, TaskStatus::ALL.into_iter().collect());
}
