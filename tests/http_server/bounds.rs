//! What a client may take, and for how long.

use std::time::{Duration, Instant};

use crate::support::{Client, app, serving, serving_for};

const SHORT: Duration = Duration::from_millis(150);

#[tokio::test]
async fn a_head_has_its_time_and_more_bytes_win_none() {
    let server = serving(|it| it.header_timeout(SHORT)).await;
    let mut silent = server.connect().await;
    let mut slow = server.connect().await;
    let began = Instant::now();
    slow.send("GET / HTTP/1.1\r\n").await;
    while slow.pushes(b"x: y\r\n").await {
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(began.elapsed() < Duration::from_secs(10), "it goes on for ever");
    }
    silent.is_closed().await;
    // The same on a connection that has been used.
    let mut used = server.connect().await;
    used.ask("/").await;
    assert_eq!(used.answer().await.text(), "hello");
    tokio::time::sleep(2 * SHORT).await;
    used.ask("/").await;
    assert_eq!(used.answer().await.text(), "hello", "silence between requests has a time of its own");
    used.send("GET / HT").await;
    used.is_closed().await;
    server.end().await;
}

#[tokio::test]
async fn a_time_may_be_as_long_as_can_be_said() {
    const EVER: Duration = Duration::MAX;
    let server = serving(|it| {
        let it = it.header_timeout(EVER).body_timeout(EVER).request_timeout(EVER).idle_timeout(EVER);
        it.write_timeout(EVER).shutdown_timeout(EVER)
    })
    .await;
    let mut client = server.connect().await;
    client.send("POST /echo HTTP/1.1\r\nhost: t\r\ncontent-length: 2\r\n\r\na").await;
    client.send("b").await;
    assert_eq!(client.answer().await.text(), "ab");
    drop(client);
    server.end().await;
}

#[tokio::test]
async fn silence_between_requests_ends_the_connection() {
    let server = serving(|it| it.idle_timeout(SHORT).header_timeout(2 * SHORT)).await;
    let mut client = server.connect().await;
    client.ask("/").await;
    client.answer().await;
    client.is_closed().await;
    server.end().await;
}

#[tokio::test]
async fn a_body_has_its_time() {
    let server = serving(|it| it.body_timeout(SHORT)).await;
    let mut client = server.connect().await;
    client.send("POST /echo HTTP/1.1\r\nhost: t\r\ncontent-length: 1000\r\n\r\nab").await;
    let answer = client.answer().await;
    answer.is_problem(408, "body_timed_out");
    assert_eq!(answer.header("connection"), "close");
    client.is_closed().await;
    // What nobody reads has no time, and the next request is not taken from the middle of it.
    let mut client = server.connect().await;
    client.send("POST /ignore HTTP/1.1\r\nhost: t\r\ncontent-length: 5\r\n\r\nabcde").await;
    assert_eq!(client.answer().await.text(), "ignored");
    client.ask("/").await;
    assert_eq!(client.answer().await.text(), "hello");
    server.end().await;
}

#[tokio::test]
async fn a_body_has_its_size_whatever_it_says_of_itself() {
    let server = serving(|it| it.max_body_bytes(1_000)).await;
    let mut told = server.connect().await;
    told.send("POST /echo HTTP/1.1\r\nhost: t\r\ncontent-length: 1001\r\n\r\n").await;
    told.answer().await.is_problem(413, "too_large");
    let mut chunked = server.connect().await;
    chunked.send("POST /echo HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n").await;
    chunked.send(&format!("3e8\r\n{}\r\n1\r\nx\r\n0\r\n\r\n", "x".repeat(1_000))).await;
    chunked.answer().await.is_problem(413, "too_large");
    let mut fits = server.connect().await;
    fits.send(&format!("POST /echo HTTP/1.1\r\nhost: t\r\ncontent-length: 1000\r\n\r\n{}", "x".repeat(1_000))).await;
    assert_eq!(fits.answer().await.body.len(), 1_000);
    server.end().await;
}

/// The answer must reach a client that is still sending.
#[tokio::test]
async fn a_client_that_sends_too_much_still_reads_why() {
    let server = serving(|it| it.max_body_bytes(1_000)).await;
    for _ in 0..20 {
        let mut client = server.connect().await;
        client.send("POST /echo HTTP/1.1\r\nhost: t\r\ncontent-length: 8000000\r\n\r\n").await;
        client.answer().await.is_problem(413, "too_large");
        for _ in 0..7 {
            assert!(client.pushes(&vec![b'x'; 100_000]).await, "what it sends is read, and dropped");
        }
    }
    server.end().await;
}

#[tokio::test]
async fn a_request_has_its_time() {
    let server = serving(|it| it.request_timeout(SHORT)).await;
    let mut client = server.connect().await;
    client.ask("/never").await;
    client.answer().await.is_problem(504, "request_timed_out");
    client.ask("/").await;
    assert_eq!(client.answer().await.text(), "hello", "the connection goes on");
    server.end().await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_by_the_parser() {
    let server = serving(|it| it.max_header_bytes(8 << 10)).await;
    let long = "y".repeat(20_000);
    let many: String = (0..200).map(|it| format!("x{it}: y\r\n")).collect();
    for (text, status) in [
        ("nonsense\r\n\r\n".to_owned(), 400),
        (format!("GET / HTTP/1.1\r\nhost: t\r\nx: {long}\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nhost: t\r\n{many}\r\n"), 431),
    ] {
        let mut client = server.connect().await;
        client.pushes(text.as_bytes()).await;
        let rest = String::from_utf8(client.rest().await).unwrap();
        assert!(rest.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {rest}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_panic_is_answered_and_ends_nothing_else() {
    let server = serving(|it| it).await;
    let mut client = server.connect().await;
    client.ask("/panic").await;
    client.answer().await.is_problem(500, "internal_error");
    client.ask("/").await;
    assert_eq!(client.answer().await.text(), "hello");
    server.end().await;
}

#[tokio::test]
async fn a_client_that_does_not_read_is_left() {
    let big = axum::Router::new().route("/big", axum::routing::get(async || vec![b'x'; 64 << 20]));
    let server = serving_for(&app().await, |_| big, |it| it.write_timeout(SHORT).header_timeout(SHORT)).await;
    let mut client = server.connect().await;
    client.ask("/big").await;
    client.head().await;
    tokio::time::sleep(10 * SHORT).await;
    assert!(client.rest().await.len() < 64 << 20);
    server.end().await;
}

#[tokio::test]
async fn a_silent_connection_gives_way_to_a_new_one() {
    let server = serving(|it| it.max_connections(3)).await;
    let mut busy = server.connect().await;
    busy.ask("/slow").await;
    server.has_inside(1).await;
    let mut silent: Vec<Client> = Vec::new();
    for _ in 0..2 {
        let mut client = server.connect().await;
        client.ask("/").await;
        client.answer().await;
        silent.push(client);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut new = server.connect().await;
    new.ask("/").await;
    assert_eq!(new.answer().await.text(), "hello");
    silent[0].is_closed().await;
    silent[1].ask("/").await;
    assert_eq!(silent[1].answer().await.text(), "hello", "only the one that was silent longest");
    assert_eq!(busy.answer().await.status, 200);
    server.end().await;
}

#[tokio::test]
async fn a_new_connection_is_refused_where_all_work() {
    let server = serving(|it| it.max_connections(2)).await;
    let mut busy = Vec::new();
    for _ in 0..2 {
        let mut client = server.connect().await;
        client.ask("/never").await;
        busy.push(client);
    }
    server.has_inside(2).await;
    let mut new = server.connect().await;
    let answer = new.answer().await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(problem["code"], "too_many_connections");
    drop(busy);
    while server.get("/").await.status != 200 {}
    server.end().await;
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_take_it() {
    let server = serving(|it| it).await;
    for (path, accepted, encoding) in
        [("/long", "gzip", "gzip"), ("/long", "br", ""), ("/long", "gzip;q=0", ""), ("/short", "gzip", "")]
    {
        let mut client = server.connect().await;
        client.send(&format!("GET {path} HTTP/1.1\r\nhost: t\r\naccept-encoding: {accepted}\r\n\r\n")).await;
        let head = client.head().await.to_lowercase();
        let found = if head.contains("content-encoding: gzip") { "gzip" } else { "" };
        assert_eq!(found, encoding, "{path} {accepted}: {head}");
    }
    assert_eq!(server.get("/long").await.body.len(), 5_000);
    server.end().await;
}

#[tokio::test]
async fn every_request_has_an_id() {
    let server = serving(|it| it).await;
    let made = server.get("/id").await;
    assert_eq!(made.text().len(), 36, "{made:?}");
    let mut client = server.connect().await;
    client.send("GET /id HTTP/1.1\r\nhost: t\r\nx-request-id: mine.1\r\n\r\n").await;
    assert_eq!(client.answer().await.text(), "mine.1");
    client.send("GET /id HTTP/1.1\r\nhost: t\r\nx-request-id: not mine\r\n\r\n").await;
    assert_eq!(client.answer().await.text().len(), 36);
    server.end().await;
}
