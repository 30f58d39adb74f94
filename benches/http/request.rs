//! The one request of all measurements, as a client of the original framework sends it.

use axum::{
    body::Body,
    http::{Request, header},
};

pub(crate) const PATH: &str = "/api/v1/tasks/submit";
pub(crate) const KEY: &str = "bench-key-of-thirty-two-characters";
const BODY: &str =
    r#"{"task_name":"my_custom_task","task_type":"async","params":{"input":"data"},"priority":1,"timeout":300}"#;

/// As it goes over a connection.
pub(crate) fn on_the_wire() -> Vec<u8> {
    format!(
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\nuser-agent: bench\r\naccept: */*\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    )
    .into_bytes()
}

/// As a server hands it to its routes.
pub(crate) fn parsed() -> Request<Body> {
    Request::post(PATH)
        .header(header::HOST, "localhost")
        .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
        .header(header::USER_AGENT, "bench")
        .header(header::ACCEPT, "*/*")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, BODY.len())
        .body(Body::from(BODY))
        .expect("a request")
}
