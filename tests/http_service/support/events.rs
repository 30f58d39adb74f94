//! Server-sent events, read as a browser reads them.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use super::soon;

pub(crate) struct Events {
    body: Incoming,
    /// What came and is no whole event yet.
    pending: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl Events {
    pub(crate) const fn new(body: Incoming) -> Self {
        Self { body, pending: Vec::new() }
    }

    /// The next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        soon("the next event", async {
            loop {
                if let Some(end) = self.pending.windows(2).position(|it| it == b"\n\n") {
                    let event: Vec<u8> = self.pending.drain(..end + 2).collect();
                    // Comments keep the connection alive, and are no events.
                    match read(std::str::from_utf8(&event).unwrap()) {
                        Some(event) => return Some(event),
                        None => continue,
                    }
                }
                let frame = self.body.frame().await?.unwrap();
                if let Ok(data) = frame.into_data() {
                    self.pending.extend_from_slice(&data);
                }
            }
        })
        .await
    }

    /// The next event that satisfies the condition.
    pub(crate) async fn find(&mut self, what: &str, mut condition: impl FnMut(&Event) -> bool) -> Event {
        let mut seen = Vec::new();
        while let Some(event) = self.next().await {
            if condition(&event) {
                return event;
            }
            seen.push(event);
        }
        panic!("the stream ended without {what}: {seen:#?}");
    }
}

fn read(text: &str) -> Option<Event> {
    let (mut id, mut name, mut data) = (None, "message".to_owned(), Vec::new());
    for line in text.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => id = Some(value.to_owned()),
            "event" => name = value.to_owned(),
            "data" => data.push(value),
            _ => {}
        }
    }
    if data.is_empty() {
        return None;
    }
    let data = data.join("\n");
    Some(Event { id, name, data: serde_json::from_str(&data).unwrap_or(Value::String(data)) })
}
