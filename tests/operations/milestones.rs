//! What the log says of how a process fares.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use ddd_core::{
    TaskStatus,
    testing::{self, Fault, StoreCall},
};
use ddd_tests::kit::troubled::Troubled;
use serde_json::Value;

use crate::support::{builder, nap, secs, shared_memory, until};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The fields of the lines at `info`, and what was logged is forgotten.
    fn take(&self) -> Vec<Value> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        let lines = text.lines().map(|it| serde_json::from_str::<Value>(it).unwrap());
        lines.filter(|it| it["level"] == "INFO").map(|it| it["fields"].clone()).collect()
    }
}

/// Starts, sees an outage of the store, and ends with one body that ends in time and one that does not.
async fn live() {
    let clock = Arc::new(testing::VirtualClock::start());
    let store = Troubled::new(shared_memory(&clock).0);
    let app = builder().clock(clock).shared_store(Arc::new(store.clone())).slots(3).build().await.unwrap();
    app.start_workers().await.unwrap();
    let beats = secs(60);
    tokio::time::sleep(beats).await;
    store.plan(|call| if call == StoreCall::Heartbeat { Fault::Fails } else { Fault::None });
    tokio::time::sleep(beats).await;
    store.calm();
    tokio::time::sleep(beats).await;
    for seconds in [3, 300] {
        let body = app.submit(nap { millis: seconds * 1_000 }).timeout(secs(600)).await.unwrap();
        until(&body, TaskStatus::Running).await;
    }
    app.shutdown(secs(10)).await;
}

#[tokio::test(start_paused = true)]
async fn a_start_an_outage_and_an_end_are_a_line_each() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let lines = loop {
        // A place in the code where another test logs for the first time just now may miss the subscriber at first.
        tracing::callsite::rebuild_interest_cache();
        live().await;
        let lines = log.take();
        if lines.len() >= 3 {
            break lines;
        }
    };
    let [started, again, ended] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(started["message"], "the workers have started");
    let said = ["store", "queues"].map(|it| started[it].as_str().unwrap());
    assert_eq!(said, ["faulty", "default, faults"]);
    assert_eq!((started["slots"].as_u64(), started["tasks"].as_u64()), (Some(3), Some(3)));
    assert_eq!(again["message"], "the store answers again");
    assert_eq!(ended["message"], "the workers have ended");
    let counts = ["finished", "given_back", "still_running"].map(|it| ended[it].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 0]);
}
