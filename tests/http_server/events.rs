//! A client of streams.

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::support::{Running, soon};

/// Something that a stream said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

impl Event {
    /// What it tells of a task's status.
    pub(crate) fn status(&self) -> &str {
        self.data["status"].as_str().unwrap_or_default()
    }
}

/// An open stream.
pub(crate) struct Events {
    pub(crate) status: u16,
    pub(crate) head: String,
    lines: BufReader<TcpStream>,
    /// What the stream said in between to keep the connection open, and how long to wait before coming again.
    pub(crate) comments: usize,
    pub(crate) retry: String,
}

/// Opens a stream, with more lines in the request's head.
pub(crate) async fn open(server: &Running, path: &str, head: &str) -> Events {
    let mut stream = soon(TcpStream::connect(server.address)).await.unwrap();
    // In HTTP/1.0 the body is what comes until the end, in no chunks.
    let request = format!("GET {path} HTTP/1.0\r\nhost: t\r\n{head}\r\n");
    soon(stream.write_all(request.as_bytes())).await.unwrap();
    let mut events =
        Events { status: 0, head: String::new(), lines: BufReader::new(stream), comments: 0, retry: String::new() };
    while let Some(line) = soon(events.line()).await.filter(|it| !it.is_empty()) {
        events.head += &line.to_lowercase();
        events.head.push('\n');
    }
    events.status = events.head[9..12].parse().unwrap();
    events
}

/// The head line by which a client goes on after an event.
pub(crate) fn after(event: &Event) -> String {
    format!("last-event-id: {}\r\n", event.id)
}

impl Events {
    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.lines.read_line(&mut line).await.ok()?;
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The next event; `None` at the stream's end.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        soon(self.event()).await
    }

    async fn event(&mut self) -> Option<Event> {
        let mut event = Event { id: String::new(), kind: String::new(), data: Value::Null };
        loop {
            let line = self.line().await?;
            match line.split_once(": ").unwrap_or((&line, "")) {
                ("id", id) => id.clone_into(&mut event.id),
                ("event", kind) => kind.clone_into(&mut event.kind),
                ("data", data) => event.data = serde_json::from_str(data).unwrap(),
                ("retry", retry) => retry.clone_into(&mut self.retry),
                ("", "") if event.kind.is_empty() => {}
                ("", "") => return Some(event),
                (":" | "", _) => self.comments += 1,
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next event, which must be there.
    pub(crate) async fn one(&mut self) -> Event {
        self.next().await.expect("the stream goes on")
    }

    /// All events until the end.
    pub(crate) async fn all(&mut self) -> Vec<Event> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }
}

/// What events tell of a task: their kind and its status.
pub(crate) fn told(events: &[Event]) -> Vec<(&str, &str)> {
    events.iter().map(|it| (it.kind.as_str(), it.status())).collect()
}
