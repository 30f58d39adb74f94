//! The end in order.

use std::time::{Duration, Instant};

use axum::{Extension, Router, routing::get};
use ddd_web::Drain;

use crate::support::{Inside, app, serving, serving_for};

/// Longer than a deadline, by what a loaded machine may add.
const SLACK: Duration = Duration::from_millis(500);

#[tokio::test]
async fn requests_end_and_silent_connections_are_closed() {
    let mut server = serving(|it| it.shutdown_timeout(Duration::from_secs(20))).await;
    let mut busy = server.connect().await;
    busy.ask("/slow").await;
    let mut silent = server.connect().await;
    silent.ask("/").await;
    silent.answer().await;
    let mut new = server.connect().await;
    server.has_inside(1).await;
    let began = Instant::now();
    server.tell();
    silent.is_closed().await;
    new.is_closed().await;
    let answer = busy.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, "close"), "{answer:?}");
    busy.is_closed().await;
    let address = server.address;
    server.end().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_request_that_is_on_its_way_is_answered() {
    let mut server = serving(|it| it).await;
    let mut new = server.connect().await;
    let mut begun = server.connect().await;
    begun.send("GET / HTTP/1.1\r\nho").await;
    server.tell();
    // Connections are no longer taken; so the end has begun.
    while tokio::net::TcpStream::connect(server.address).await.is_ok() {}
    new.ask("/").await;
    begun.send("st: t\r\n\r\n").await;
    for mut client in [new, begun] {
        let answer = client.answer().await;
        assert_eq!((answer.text(), answer.header("connection")), ("hello", "close"));
        client.is_closed().await;
    }
    server.end().await;
}

#[tokio::test]
async fn what_does_not_end_is_cut_at_the_deadline() {
    let within = Duration::from_millis(400);
    let mut server = serving(|it| it.shutdown_timeout(within)).await;
    let mut stuck = server.connect().await;
    stuck.ask("/never").await;
    let mut sending = server.connect().await;
    sending.send("POST /echo HTTP/1.1\r\nhost: t\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n").await;
    assert!(sending.head().await.contains("100 Continue"), "its body is awaited");
    server.has_inside(1).await;
    let began = Instant::now();
    server.tell();
    server.end().await;
    let took = began.elapsed();
    assert!(took >= within && took < within + SLACK, "{took:?}");
    stuck.is_closed().await;
    sending.is_closed().await;
}

/// Readiness goes down first, and the server goes on for the delay.
#[tokio::test]
async fn what_balances_load_is_told_before_the_end() {
    let ready = async |Extension(drain): Extension<Drain>| if drain.has_begun() { "going" } else { "ready" };
    let router = Router::new().route("/ready", get(ready));
    let mut server = serving_for(&app().await, |_| router, |it| it.drain_delay(Duration::from_millis(500))).await;
    assert_eq!(server.get("/ready").await.text(), "ready");
    let began = Instant::now();
    server.tell();
    while server.get("/ready").await.text() == "ready" {
        assert!(began.elapsed() < Duration::from_millis(400), "readiness never went down");
    }
    assert_eq!(server.get("/ready").await.text(), "going", "new connections are taken");
    server.end().await;
    assert!(began.elapsed() >= Duration::from_millis(500));
}

#[tokio::test]
async fn streams_are_told_to_end() {
    let router = |inside: Inside| {
        let wait = |Extension(drain): Extension<Drain>| async move {
            inside.send_modify(|it| *it += 1);
            drain.streams_end().await;
            "over"
        };
        Router::new().route("/wait", get(wait))
    };
    let mut server = serving_for(&app().await, router, |it| it).await;
    let mut client = server.connect().await;
    client.ask("/wait").await;
    server.has_inside(1).await;
    let began = Instant::now();
    server.tell();
    assert_eq!(client.answer().await.text(), "over");
    server.end().await;
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_server_that_is_dropped_cuts_its_connections() {
    let server = serving(|it| it).await;
    let mut client = server.connect().await;
    client.ask("/never").await;
    server.has_inside(1).await;
    drop(server);
    client.is_closed().await;
}
