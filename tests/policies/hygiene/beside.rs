//! Beside `#[task]` and `#[instrument]`, above and below.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use ddd_core::{App, Refused, Task as _, bulkhead, cached, retry, task, timeout};
use tracing::{instrument, span};

use super::support::Error;

static ABOVE: AtomicU32 = AtomicU32::new(0);
static BELOW: AtomicU32 = AtomicU32::new(0);

/// The policies hold for the body that the task runs.
#[task(name = "beside.above")]
#[retry(3, delay = "1ms")]
#[bulkhead(2)]
async fn task_above(#[serde(default)] by: u32, #[inject] _app: App) -> Result<u32, Error> {
    match ABOVE.fetch_add(by, Ordering::Relaxed) {
        0 => Err(Error::Other("again")),
        it => Ok(it),
    }
}

/// The attributes of parameters survive until `#[task]` reads them.
#[retry(3, delay = "1ms")]
#[timeout("1s")]
#[task(name = "beside.below")]
async fn task_below(
    /// By how much.
    #[serde(default)]
    by: u32,
    #[inject] _app: App,
) -> Result<u32, Error> {
    match BELOW.fetch_add(by, Ordering::Relaxed) {
        0 => Err(Error::Other("again")),
        it => Ok(it),
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_has_its_functions_policies() {
    let app = App::builder().definitions([task_above::definition(), task_below::definition()]).start().await.unwrap();
    let handle = app.submit(task_above { by: 1 }).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 1);
    let handle = app.submit(task_below { by: 1 }).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), 1);
    assert_eq!((ABOVE.load(Ordering::Relaxed), BELOW.load(Ordering::Relaxed)), (2, 2));
}

/// Counts the spans of each name.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Spans {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        let mut all = self.0.lock().unwrap();
        all.push(attributes.metadata().name().to_owned());
        span::Id::from_u64(u64::try_from(all.len()).unwrap())
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

impl Spans {
    fn named(&self, name: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|it| *it == name).count()
    }
}

/// It expands first, and stands around the body: a span for each attempt.
#[instrument(skip_all)]
#[retry(3, delay = "1ms")]
#[timeout("1s")]
async fn instrument_above(id: u32, text: String) -> Result<u32, Error> {
    Err(Error::Other(if text.is_empty() { "empty" } else { "bad" }))?;
    Ok(id)
}

/// It expands last, and stands around the policies: one span for each call.
#[retry(3, delay = "1ms")]
#[timeout("1s")]
#[instrument(skip_all)]
async fn instrument_below(id: u32, text: String) -> Result<u32, Error> {
    Err(Error::Other(if text.is_empty() { "empty" } else { "bad" }))?;
    Ok(id)
}

struct Counter(u32);

impl Counter {
    #[cached(key = id, inside_retry = true)]
    #[timeout("1s")]
    #[bulkhead(2)]
    #[instrument(skip(self))]
    async fn method(&self, id: u32) -> Result<u32, Refused> {
        Ok(self.0 + id)
    }

    #[retry(3, delay = "1ms")]
    #[instrument(skip(self))]
    async fn counted(&mut self, by: u32) -> Result<u32, Error> {
        self.0 += by;
        if self.0 < 3 { Err(Error::Other("again")) } else { Ok(self.0) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_span_is_where_its_attribute_puts_it() {
    let spans = Spans::default();
    let guard = tracing::subscriber::set_default(spans.clone());
    assert_eq!(instrument_above(1, "a".into()).await, Err(Error::Other("bad")));
    assert_eq!(instrument_below(1, "a".into()).await, Err(Error::Other("bad")));
    assert_eq!(Counter(1).method(1).await, Ok(2));
    assert_eq!(Counter(0).counted(1).await, Ok(3));
    drop(guard);
    let counted = ["instrument_above", "instrument_below", "method", "counted"].map(|it| spans.named(it));
    assert_eq!(counted, [3, 1, 1, 1]);
}
