//! The same submission, many times.

use std::collections::BTreeSet;

use ddd_tests::kit::answer::Answer;
use tokio::task::JoinSet;

use crate::{
    here::{ANN, BOB, Here},
    socket::{Socket, post},
};

async fn submit(service: &Here, path: &str, head: &str, body: &str) -> Answer {
    let mut socket = Socket::connect(service.address).await;
    socket.send(&post(&format!("/api/v1/tasks/{path}"), head, body.as_bytes())).await.unwrap();
    socket.answer().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_equal_submissions_at_once_make_one_task() {
    let service = Here::start(|it| it).await;
    let address = service.address;
    let head = format!("{ANN}idempotency-key: order-1\r\n");
    let request = post("/api/v1/tasks/submit", &head, br#"{"task_name":"keep","params":{"text":"x"}}"#);
    let mut clients = JoinSet::new();
    for _ in 0..100 {
        let request = request.clone();
        clients.spawn(async move {
            let mut socket = Socket::connect(address).await;
            socket.send(&request).await.unwrap();
            socket.answer().await.unwrap()
        });
    }
    let answers = clients.join_all().await;
    let ids: BTreeSet<String> = answers.iter().map(|it| it.json()["task_id"].to_string()).collect();
    let statuses: BTreeSet<(u16, String)> =
        answers.iter().map(|it| (it.status, it.json()["status"].to_string())).collect();
    assert_eq!((ids.len(), statuses), (1, [(202, "\"pending\"".to_owned())].into()));
    let replayed = answers.iter().filter(|it| it.header("idempotency-replayed") == "true").count();
    assert_eq!(replayed, 99);
    assert!(answers.iter().all(|it| !it.header("location").is_empty()));
    assert_eq!(service.app.tasks().statistics().await.unwrap().submitted, 1);
    service.end().await;
}

#[tokio::test]
async fn a_key_is_of_one_caller_one_route_and_one_body() {
    let service = Here::start(|it| it).await;
    let keyed = |caller: &str| format!("{caller}idempotency-key: k\r\n");
    let body = r#"{"task_name":"keep","params":{"text":"x"}}"#;
    let first = submit(&service, "submit", &keyed(ANN), body).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (202, ""));
    let id = first.json()["task_id"].clone();
    service.app.tasks().wait_idle().await.unwrap();
    let again = submit(&service, "submit", &keyed(ANN), body).await;
    assert_eq!((again.status, &again.json()["task_id"], again.header("idempotency-replayed")), (202, &id, "true"));
    for other in [r#"{"task_name":"keep","params":{"text":"y"}}"#, r#"{"task_name":"lose","params":{"text":"x"}}"#] {
        let refused = submit(&service, "submit", &keyed(ANN), other).await;
        assert_eq!((refused.status, &refused.json()["code"]), (422, &"idempotency_key_reused".into()), "{other}");
    }
    let bobs = submit(&service, "submit", &keyed(BOB), body).await;
    assert_eq!((bobs.status, bobs.header("idempotency-replayed")), (202, ""));
    assert_ne!(bobs.json()["task_id"], id);
    let elsewhere = submit(&service, "submit/keep", &keyed(ANN), r#"{"text":"x"}"#).await;
    assert_eq!((elsewhere.status, elsewhere.header("idempotency-replayed")), (202, ""));
    let refused = submit(&service, "submit/lose", &keyed(ANN), r#"{"text":"x"}"#).await;
    assert_eq!(refused.status, 422, "one route, whatever the name in its path: {refused:?}");
    service.end().await;
}
