//! More submissions than a queue takes.

use std::{collections::BTreeMap, sync::Arc};

use ddd_core::QueueSettings;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    here::{ANN, Here, executed},
    socket::{Socket, post},
};

const CLIENTS: usize = 64;
const TASKS: usize = 5_000;
const DEPTH: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_full_queue_accepts_runs_and_the_rest_is_told_so() {
    let service = Here::start(|it| it.slots(4).queue("narrow", QueueSettings::new().max_depth(DEPTH))).await;
    let left = Arc::new(Semaphore::new(TASKS));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (left, address) = (left.clone(), service.address);
        clients.spawn(async move {
            let mut socket = Socket::connect(address).await;
            let mut counts = BTreeMap::<u16, usize>::new();
            while let Ok(one) = left.try_acquire() {
                one.forget();
                let number = left.available_permits();
                let body = format!(r#"{{"number":{number}}}"#);
                socket.send(&post("/api/v1/tasks/submit/slow", ANN, body.as_bytes())).await.unwrap();
                let answer = socket.answer().await.expect("an answer to each");
                match answer.status {
                    202 => {}
                    503 => {
                        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1, "{answer:?}");
                        assert_eq!(answer.json()["code"], "queue_full");
                    }
                    _ => panic!("{answer:?}"),
                }
                *counts.entry(answer.status).or_default() += 1;
            }
            counts
        });
    }
    let mut counts = BTreeMap::<u16, usize>::new();
    let tasks = service.app.tasks();
    while !clients.is_empty() {
        tokio::select! {
            Some(client) = clients.join_next() => {
                for (status, count) in client.unwrap() {
                    *counts.entry(status).or_default() += count;
                }
            }
            queues = tasks.queues() => {
                let narrow = queues.unwrap().into_iter().find(|it| it.name == "narrow");
                let waiting = narrow.map_or(0, |it| it.counts.get(ddd_core::TaskStatus::Pending));
                assert!(waiting <= DEPTH as u64, "{waiting} wait");
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        }
    }
    let (accepted, refused) = (counts[&202], counts.get(&503).copied().unwrap_or_default());
    eprintln!("{accepted} accepted, {refused} refused");
    assert_eq!(accepted + refused, TASKS);
    assert!(accepted >= DEPTH && refused > 0);
    service.app.tasks().wait_idle().await.unwrap();
    assert_eq!(executed(), accepted);
    service.end().await;
}
