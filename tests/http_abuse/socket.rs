//! A connection, byte by byte.

use std::{io, net::SocketAddr};

use ddd_tests::kit::answer::Answer;
use tokio::{io::AsyncWriteExt as _, net::TcpStream, time::timeout};

use crate::PATIENCE;

#[derive(Debug)]
pub(crate) struct Socket(TcpStream);

impl Socket {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(timeout(PATIENCE, TcpStream::connect(address)).await.expect("a connection").unwrap())
    }

    /// Sends as much as the other side takes.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(PATIENCE, self.0.write_all(bytes)).await.expect("the server reads, or closes")
    }

    /// No more will be sent.
    pub(crate) async fn finish(&mut self) {
        let _ = self.0.shutdown().await;
    }

    /// The next answer; `None` if the server closes without one.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        timeout(PATIENCE, Answer::read(&mut self.0)).await.expect("an answer, or an end").ok()
    }
}

/// A request with a JSON body.
pub(crate) fn post(path: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{head}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A request without a body.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}
