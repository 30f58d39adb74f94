//! The end of a process whose clients hold on.

use std::time::Duration;

use crate::{
    is_nightly,
    process::Playground,
    socket::{Socket, get, post},
};

const DEADLINE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn fifty_open_streams_do_not_hold_the_process() {
    let mut longest = Duration::ZERO;
    let rounds = if is_nightly() { 20 } else { 3 };
    for _ in 0..rounds {
        let service = Playground::start(&["--shutdown", "1"]);
        let address = service.address;
        // A task that would run for longer, so that the whole time is used.
        let mut socket = Socket::connect(address).await;
        let task = br#"{"task_name":"sleep","params":{"ms":60000}}"#;
        socket.send(&post("/api/v1/tasks/submit", "", task)).await.unwrap();
        let answer = socket.answer().await.unwrap();
        assert_eq!(answer.status, 202, "{answer:?}");
        let id = answer.json()["task_id"].as_str().unwrap().to_owned();
        let mut streams = Vec::new();
        for number in 0..50 {
            let mut stream = Socket::connect(address).await;
            let path = if number % 2 == 0 { "stream".to_owned() } else { format!("{id}/stream") };
            stream.send(&get(&format!("/api/v1/tasks/{path}"))).await.unwrap();
            let answer = stream.answer().await.unwrap();
            assert_eq!((answer.status, answer.header("content-type")), (200, "text/event-stream"), "{answer:?}");
            streams.push(stream);
        }
        // Some clients are in the middle of a request.
        let mut halves = Vec::new();
        for _ in 0..10 {
            let mut half = Socket::connect(address).await;
            half.send(b"POST /api/v1/tasks/submit HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n")
                .await
                .unwrap();
            halves.push(half);
        }
        service.terminate();
        let (status, took, log) = service.ended().await;
        assert!(status.success(), "{status}: {log}");
        assert!(took >= DEADLINE / 2, "the task was to be waited for: {took:?}");
        assert!(took <= DEADLINE + Duration::from_millis(500), "{took:?}");
        longest = longest.max(took);
    }
    eprintln!("{rounds} times, {longest:?} at most with a deadline of {DEADLINE:?}");
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let service = Playground::start(&["--shutdown", "30"]);
    let address = service.address;
    let mut socket = Socket::connect(address).await;
    let task = br#"{"task_name":"sleep","params":{"ms":60000}}"#;
    socket.send(&post("/api/v1/tasks/submit", "", task)).await.unwrap();
    assert_eq!(socket.answer().await.unwrap().status, 202);
    service.terminate();
    // The first has been heard when nobody listens any more.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    service.terminate();
    let (status, took, _) = service.ended().await;
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(5), "{took:?}");
}
