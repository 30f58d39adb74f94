//! What the log says while a test looks at it.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// What the log says.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Log {
    /// The log of this thread, until the guard is dropped.
    pub(crate) fn begin() -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber = tracing_subscriber::fmt().json().with_writer(log.clone()).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// Makes a call until the log has all of these: a place in the code where another test logs for the first time just now
    /// may miss the subscriber at first. The log is empty afterwards.
    pub(crate) async fn until(&self, mut call: impl AsyncFnMut(), wanted: &[&str]) {
        loop {
            self.0.lock().unwrap().clear();
            tracing::callsite::rebuild_interest_cache();
            call().await;
            let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
            if wanted.iter().all(|it| text.contains(it)) {
                return;
            }
            std::thread::yield_now();
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn lines(&self) -> Vec<Value> {
        self.text().lines().map(|it| serde_json::from_str(it).unwrap()).collect()
    }
}

/// Route and status of each request that was answered.
pub(crate) fn answered(lines: &[Value]) -> Vec<(&str, u64)> {
    let lines = lines.iter().filter(|it| it["fields"]["message"] == "answered");
    lines.map(|it| (it["span"]["route"].as_str().unwrap(), it["fields"]["status"].as_u64().unwrap())).collect()
}
