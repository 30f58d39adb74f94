//! An HTTP answer, read byte by byte.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads the next one, whose length must be told.
    ///
    /// # Errors
    /// The connection ends within it, or what comes is no answer.
    pub async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let head = head(from).await?;
        let status = head.get(9..12).and_then(|it| it.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        let mut answer = Self { status, head, body: Vec::new() };
        answer.body = vec![0; answer.header("content-length").parse().unwrap_or(0)];
        from.read_exact(&mut answer.body).await?;
        Ok(answer)
    }

    /// The value of a header; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        });
        line.unwrap_or_default()
    }

    /// The body as text.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    #[track_caller]
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// It is none.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks that it is a problem of this code.
    ///
    /// # Panics
    /// It is not.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.header("content-type")), (status, "application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
    }
}

/// The head of the next answer.
///
/// # Errors
/// The connection ends within it, or it is no text.
pub async fn head(from: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = from.read_u8().await;
        head.push(
            byte.map_err(|it| io::Error::new(it.kind(), format!("{it} after {:?}", String::from_utf8_lossy(&head))))?,
        );
    }
    String::from_utf8(head).map_err(io::Error::other)
}
