//! One id leads from a request to its log lines and its task.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    life::{self, submit},
    support::{client::Client, process::Service},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_id_is_echoed_logged_and_recorded() {
    let service = Service::start(&["--log", "debug"]);
    let client = Client::new(&service.url).with("x-request-id", "order-4711.a");
    let id = submit(&client, "echo", json!({ "value": 1 })).await;
    let answer = client.get(&format!("/tasks/{id}/result?wait=30s")).await;
    assert_eq!(answer.header("x-request-id"), Some("order-4711.a"));
    let record = client.get(&format!("/tasks/{id}")).await.ok(200);
    assert_eq!(record["request_id"], "order-4711.a", "{record:#}");
    assert!(service.log().contains("order-4711.a"), "{}", service.log());

    // The original's member of the body goes before the request's own.
    let body = json!({ "task_name": "echo", "params": { "value": 1 }, "request_id": "from-the-body" });
    let id = life::submit_with(&client, body).await;
    assert_eq!(client.get(&format!("/tasks/{id}")).await.ok(200)["request_id"], "from-the-body");

    // What could forge a log line is not taken.
    let forging = Client::new(&service.url).with("x-request-id", "a b\tlevel=ERROR");
    let answer = forging.get("/health/ping").await;
    let fresh = answer.header("x-request-id").unwrap();
    assert!(!fresh.contains("ERROR") && fresh.len() >= 16, "{fresh}");
    assert!(!service.log().contains("level=ERROR"), "{}", service.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_is_a_line_of_the_log() {
    let service = Service::start(&[]);
    let client = Client::new(&service.url);
    let id = submit(&client, "panic", json!({ "message": "first\nsecond" })).await;
    assert_eq!(client.get(&format!("/tasks/{id}/result?wait=30s")).await.ok(200)["status"], "failed");
    let patience = Instant::now() + Duration::from_secs(10);
    while !service.log().contains("second") && Instant::now() < patience {
        tokio::task::yield_now().await;
    }
    let log = service.log();
    let line = log.lines().find(|it| it.contains("a panic")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("ERROR") && line.contains(r"first\nsecond") && line.contains("trouble.rs"), "{line}");
    assert!(log.lines().all(|it| it.starts_with("20")), "each line begins with its time: {log}");
}
