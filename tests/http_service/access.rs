//! Keys, permissions and owners, as callers meet them.

use serde_json::json;

use crate::{
    life::submit,
    support::{client::Client, process::Service},
};

const ADA: &str = "ada-has-a-long-key-0001";
const BOB: &str = "bob-has-a-long-key-0002";
const EVE: &str = "eve-has-a-long-key-0003";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_are_told_apart_by_their_keys() {
    let service = Service::start(&[
        "--api-key",
        &format!("ada={ADA}"),
        "--api-key",
        &format!("bob={BOB}:read,submit,cancel"),
        "--api-key",
        &format!("eve={EVE}:read"),
    ]);
    let nobody = Client::new(&service.url);
    let caller = |key: &str| Client::new(&service.url).with("authorization", format!("Bearer {key}"));
    let (ada, bob, eve) = (caller(ADA), caller(BOB), caller(EVE));

    nobody.get("/tasks").await.problem(401, "unauthenticated");
    caller("a-key-that-nobody-has").get("/tasks").await.problem(401, "unauthenticated");
    nobody.get("/health/ping").await.ok(200);
    let by_header = Client::new(&service.url).with("x-api-key", EVE);
    by_header.get("/tasks").await.ok(200);

    let body = json!({ "task_name": "echo", "params": { "value": 1 } });
    eve.post("/tasks/submit", body).await.problem(403, "forbidden");
    let with_priority = json!({ "task_name": "echo", "params": { "value": 1 }, "priority": 9 });
    bob.post("/tasks/submit", with_priority.clone()).await.problem(403, "forbidden");
    ada.post("/tasks/submit", with_priority).await.ok(202);

    // What is another's is as unknown as what never was.
    let id = submit(&bob, "sleep", json!({ "ms": 600_000 })).await;
    let path = format!("/tasks/{id}");
    bob.get(&path).await.ok(200);
    eve.get(&path).await.problem(404, "task_not_found");
    assert_eq!(eve.get("/tasks").await.ok(200)["tasks"], json!([]));
    assert_eq!(bob.get("/tasks").await.ok(200)["tasks"][0]["task_id"], id.as_str());
    eve.delete(&path).await.problem(403, "forbidden");
    ada.delete(&path).await;
    bob.post("/queues/default/pause", json!(null)).await.problem(403, "forbidden");
}
