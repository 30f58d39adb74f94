//! Clients that go in the middle of a submission.

use std::{collections::BTreeMap, time::Duration};

use ddd_core::{Filter, TaskStatus};
use fastrand::Rng;
use tokio::task::JoinSet;

use crate::{
    here::{ANN, Here},
    socket::{Socket, post},
};

const CLIENTS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_leaves_a_whole_task_or_none() {
    let seed = fastrand::u64(..);
    eprintln!("seed: {seed}");
    let mut rng = Rng::with_seed(seed);
    let service = Here::start(|it| it).await;
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let text = format!("{number}:{}", "x".repeat(rng.usize(..5_000)));
        let body = format!(r#"{{"task_name":"keep","params":{{"text":"{text}"}}}}"#);
        let request = post("/api/v1/tasks/submit", ANN, body.as_bytes());
        // A third of them have sent everything, and do not wait for the answer, or not for long.
        let is_whole = rng.u8(..3) == 0;
        let sent = if is_whole { request.len() } else { rng.usize(1..request.len()) };
        let (address, stay) = (service.address, Duration::from_millis(rng.u64(..20)));
        clients.spawn(async move {
            let mut socket = Socket::connect(address).await;
            let _ = socket.send(&request[..sent]).await;
            tokio::time::sleep(stay).await;
            (number, is_whole, text)
        });
    }
    let expected: BTreeMap<usize, (bool, String)> =
        clients.join_all().await.into_iter().map(|(number, is_whole, text)| (number, (is_whole, text))).collect();
    // Once it has ended, nothing more comes in; then all that came in has to run.
    let app = service.app.clone();
    service.end().await;
    app.start_workers().await.unwrap();
    app.tasks().wait_idle().await.unwrap();
    let listed = app.tasks().list(Filter::all(), None, 2 * CLIENTS).await.unwrap().items;
    let records = app.tasks().get_many(listed.iter().map(|it| it.id)).await.unwrap();
    let records = records.into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(records.len(), listed.len());
    let mut seen = BTreeMap::<usize, usize>::new();
    for record in &records {
        let params: serde_json::Value = serde_json::from_str(record.params.get()).unwrap();
        let text = params["text"].as_str().unwrap();
        let number: usize = text.split(':').next().unwrap().parse().unwrap();
        let (is_whole, sent) = &expected[&number];
        assert!(*is_whole && text == sent, "{number} was not sent whole");
        assert_eq!(record.status, TaskStatus::Success);
        *seen.entry(number).or_default() += 1;
    }
    assert!(seen.values().all(|it| *it == 1));
    let whole = expected.values().filter(|it| it.0).count();
    eprintln!("{} of {whole} that were sent whole are there", seen.len());
    assert!(!seen.is_empty() && seen.len() < CLIENTS, "both happen");
    app.shutdown(Duration::from_secs(5)).await;
}
