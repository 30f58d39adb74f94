//! The program around the service: its options, its exit codes, its end.

use std::{net::TcpListener, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    life,
    support::{
        client::Client,
        process::{Service, run},
        soon,
    },
};

/// Runs it to its end; its exit code and what it said.
fn said(args: &[&str]) -> (Option<i32>, String, String) {
    let output = run(args);
    let text = |it: Vec<u8>| String::from_utf8(it).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn help_is_asked_for_and_given() {
    for option in ["--help", "-h"] {
        let (code, out, err) = said(&[option]);
        assert_eq!((code, err.as_str()), (Some(0), ""));
        assert!(out.contains("Usage: cargo run --example playground"), "{out}");
    }
}

#[test]
fn a_wrong_command_line_is_told_and_costs_exit_code_2() {
    for (args, says) in [
        (&["--prot", "1"][..], "there is no option --prot; see --help"),
        (&["serve"], "there is no option serve; see --help"),
        (&["--port"], "--port needs a number"),
        (&["--port", "99999"], "--port needs a number, not `99999`: number too large to fit in target type"),
        (&["--workers", "0"], "--workers is 0; write at least 1"),
        (&["--log", "loud"], "--log: there is no level `loud`; see --help"),
        (&["--api-key", "secret-without-name"], "--api-key is written NAME=KEY, or NAME=KEY:PERMISSIONS"),
    ] {
        let (code, out, err) = said(args);
        assert_eq!((code, out.as_str(), err.trim()), (Some(2), "", says));
    }
    let (code, _, err) = said(&["--api-key", "ada=correct-horse-battery:read,write"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("`write` is no permission") && err.contains("submit_with_options"), "{err}");
    let (code, _, err) = said(&["--api-key", "ada=short"]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("fewer than 16 characters") && !err.contains("ada=short"), "{err}");
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let (code, out, err) = said(&["--port", &port]);
    assert_eq!(code, Some(1), "{err}");
    assert!(!out.contains("listening"), "{out}");
    assert!(err.contains(&format!("127.0.0.1:{port}")), "{err}");
}

#[test]
fn without_keys_it_listens_only_where_nobody_else_reaches_it() {
    let (code, out, err) = said(&["--host", "0.0.0.0", "--port", "0"]);
    assert_eq!(code, Some(1), "{err}");
    assert!(!out.contains("listening"), "{out}");
    Service::start(&["--host", "0.0.0.0", "--on-any-address"]);
    Service::start(&["--host", "0.0.0.0", "--api-key", "ada=correct-horse-battery"]);
}

#[test]
fn it_ends_when_it_is_told_to() {
    for signal in ["TERM", "INT"] {
        let mut service = Service::start(&[]);
        service.signal(signal);
        let (status, _) = service.wait();
        assert_eq!(status.code(), Some(0), "{signal}: {}", service.log());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_watch_and_wait_do_not_hold_up_its_end() {
    let mut service = Service::start(&["--shutdown", "5"]);
    let client = Client::new(&service.url);
    let id = life::submit(&client, "sleep", json!({ "ms": 600_000 })).await;
    life::until(&client, &id, ddd_core::TaskStatus::Running).await;
    let mut events = client.events(&format!("/tasks/{id}/stream")).await;
    // Sent before the signal, so it is answered, wherever on its way it is.
    let mut waiting = TcpStream::connect(service.url.strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!("GET /api/v1/tasks/{id}/result?wait=60s HTTP/1.1\r\nhost: localhost\r\n\r\n");
    waiting.write_all(request.as_bytes()).await.unwrap();
    events.next().await.unwrap();
    service.signal("TERM");
    events.find("a word of the end", |it| it.name == "reconnect" && it.data["reason"] == "shutting_down").await;
    assert!(events.next().await.is_none());
    let mut answer = String::new();
    soon("the answer", waiting.read_to_string(&mut answer)).await.unwrap();
    assert!(["HTTP/1.1 202 ", "HTTP/1.1 503 "].iter().any(|it| answer.starts_with(it)), "{answer}");
    let (status, took) = tokio::task::spawn_blocking(move || service.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0));
    // The body sleeps on until the deadline, when it is given back.
    assert!(took < Duration::from_millis(5_500 + 1_000), "{took:?}");
}
