//! Ten thousand malformed requests.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use ddd_tests::kit::answer::Answer;
use fastrand::Rng;
use tokio::sync::Semaphore;

use crate::{
    is_nightly,
    process::Playground,
    shapes::SHAPES,
    socket::{Socket, get, post},
};

/// Nobody outside needs these words to mend a request.
const LEAKS: [&str; 16] = [
    "/src/",
    ".rs",
    "::",
    "panicked",
    "serde",
    "axum",
    "hyper",
    "tokio",
    "jsonschema",
    "schemars",
    "struct ",
    "enum ",
    "RawValue",
    "ddd_",
    "/work",
    "/home",
];

/// Sends a request over a connection of its own, and reads what comes.
async fn ask(address: SocketAddr, request: &[u8], ends: bool) -> Option<Answer> {
    let mut socket = Socket::connect(address).await;
    let sent = socket.send(request).await;
    if ends && sent.is_ok() {
        socket.finish().await;
    }
    socket.answer().await
}

/// Checks what a malformed request may be answered with.
fn check(shape: &str, answer: &Answer) {
    let Answer { status, body, .. } = answer;
    let what = || format!("{shape}: {} {}", answer.head, String::from_utf8_lossy(body));
    assert!(*status < 500, "{}", what());
    if *status < 400 {
        return;
    }
    if body.is_empty() && answer.header("content-type").is_empty() {
        assert!(matches!(status, 400 | 414 | 431), "only the parser answers without a word: {}", what());
        return;
    }
    assert_eq!(answer.header("content-type"), "application/problem+json", "{}", what());
    assert!(body.len() < 4_096, "{} bytes: {}", body.len(), what());
    let problem = answer.json();
    assert_eq!(problem["status"], *status, "{}", what());
    assert!(problem["code"].is_string() && problem["title"].is_string() && problem["detail"].is_string(), "{}", what());
    assert_eq!(problem["request_id"], answer.header("x-request-id"), "{}", what());
    if *status == 422 {
        let errors = problem["errors"].as_array().map_or(&[][..], Vec::as_slice);
        assert!((1..=20).contains(&errors.len()), "{}", what());
        assert!(errors.iter().all(|it| it["pointer"].is_string() && it["detail"].is_string()), "{}", what());
    }
    let text = String::from_utf8_lossy(body);
    for leak in LEAKS {
        assert!(!text.contains(leak), "`{leak}`: {}", what());
    }
}

/// So many of each shape, sixteen at a time; answers how each shape was answered.
async fn abuse(address: SocketAddr, seed: u64, thousands: usize) -> BTreeMap<(&'static str, u16), usize> {
    let room = Arc::new(Semaphore::new(16));
    let mut requests = tokio::task::JoinSet::new();
    let mut rng = Rng::with_seed(seed);
    for shape in SHAPES {
        for _ in 0..shape.share * thousands {
            let place = room.clone().acquire_owned().await.unwrap();
            let request = (shape.make)(&mut rng);
            requests.spawn(async move {
                let answer = ask(address, &request, shape.ends).await;
                drop(place);
                if let Some(answer) = &answer {
                    check(shape.name, answer);
                }
                (shape.name, answer.map_or(0, |it| it.status))
            });
        }
    }
    let mut counts = BTreeMap::new();
    while let Some(answered) = requests.join_next().await {
        *counts.entry(answered.unwrap()).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_malformed_requests_do_no_harm() {
    assert_eq!(SHAPES.iter().map(|it| it.share).sum::<usize>(), 1_000);
    let seed = std::env::var("DDD_SEED").map_or_else(|_| fastrand::u64(..), |it| it.parse().unwrap());
    eprintln!("seed: DDD_SEED={seed}");
    let service = Playground::start(&[]);
    let address = service.address;
    // What every service has, whoever asks: threads, tables, buffers.
    abuse(address, seed ^ 1, 1).await;
    let before = service.memory("VmRSS");
    let counts = abuse(address, seed, if is_nightly() { 100 } else { 10 }).await;
    let peak = service.memory("VmHWM").saturating_sub(before);
    let after = service.memory("VmRSS").saturating_sub(before);
    for ((shape, status), count) in &counts {
        eprintln!("{count:>6} × {} {shape}", if *status == 0 { "closed".to_owned() } else { status.to_string() });
    }
    eprintln!("{before} KiB at first, {peak} KiB more at the peak, {after} KiB more after");
    assert!(peak <= 64 << 10, "{peak} KiB more at the peak");
    assert!(after <= 8 << 10, "{after} KiB more after");
    let answer =
        ask(address, &post("/api/v1/tasks/submit", "", br#"{"task_name":"echo","params":{"value":1}}"#), false).await;
    assert_eq!(answer.unwrap().status, 202);
    assert_eq!(ask(address, &get("/api/v1/health/ping"), false).await.unwrap().status, 200);
    service.terminate();
    let (status, _, log) = service.ended().await;
    assert!(status.success(), "{status}");
    assert!(!log.contains("panicked"), "{log}");
}
