//! Normal requests beside a crowd of slow and silent clients.

use std::{
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    is_nightly,
    process::Playground,
    socket::{Socket, get},
};

/// How many files this process may open.
fn files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|it| it.starts_with("Max open files")).unwrap_or_default();
    line.split_whitespace().nth(3).and_then(|it| it.parse().ok()).unwrap_or(1_024)
}

/// How long requests take, the slowest last: half over one connection, half over one of their own.
async fn times(address: SocketAddr, requests: usize) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut kept = Socket::connect(address).await;
    for number in 0..requests {
        let began = Instant::now();
        let answer = if number % 2 == 0 {
            kept.send(&get("/api/v1/health/ping")).await.unwrap();
            kept.answer().await
        } else {
            let mut new = Socket::connect(address).await;
            new.send(&get("/api/v1/health/ping")).await.unwrap();
            new.answer().await
        };
        times.push(began.elapsed());
        assert_eq!(answer.expect("an answer").status, 200);
    }
    times.sort();
    times
}

fn p99(times: &[Duration]) -> Duration {
    times[times.len() * 99 / 100]
}

/// A client that sends a byte of a request now and then, of its head or of its body.
async fn trickle(address: SocketAddr, number: usize) {
    let head = "POST /api/v1/tasks/submit HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n";
    loop {
        let mut socket = Socket::connect(address).await;
        let start = if number.is_multiple_of(2) { head.to_owned() } else { format!("{head}\r\n") };
        if socket.send(start.as_bytes()).await.is_err() {
            continue;
        }
        while socket.send(b"x: y\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_and_silent_clients_do_not_hold_up_the_others() {
    let service = Playground::start(&[]);
    let address = service.address;
    let scale = (files().saturating_sub(200) as f64 / 1_600.0).min(1.0);
    let (slow, silent) = ((500.0 * scale) as usize, (1_000.0 * scale) as usize);
    let requests = if is_nightly() { 4_000 } else { 1_000 };
    times(address, 200).await;
    let undisturbed = times(address, requests).await;
    let mut crowd = tokio::task::JoinSet::new();
    for number in 0..slow {
        crowd.spawn(trickle(address, number));
    }
    let mut sockets = Vec::new();
    for _ in 0..silent {
        let mut socket = Socket::connect(address).await;
        socket.send(&get("/api/v1/health/ping")).await.unwrap();
        let _ = socket.answer().await;
        sockets.push(socket);
    }
    let disturbed = times(address, requests).await;
    let (before, after) = (p99(&undisturbed), p99(&disturbed));
    eprintln!("{slow} slow, {silent} silent clients: p99 {after:?}, undisturbed {before:?}");
    // A loaded machine disturbs as well, so the bound is for when nothing else runs.
    if is_nightly() {
        assert!(after <= 2 * before, "{after:?} against {before:?}");
    }
    assert!(after < Duration::from_secs(1), "{after:?}");
    crowd.abort_all();
    let answer = times(address, 10).await;
    assert!(!answer.is_empty());
}
