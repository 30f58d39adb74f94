//! What is counted under one name with one set of labels, kept for as long as the process runs.

use std::{collections::HashMap, sync::Arc};

use metrics::Key;
use opentelemetry::KeyValue;
use parking_lot::Mutex;

/// All series of a kind, by name and labels. Whoever counts asks for its series each time, and gets the one that knows what
/// was said before.
#[derive(Debug)]
pub(super) struct AllSeries<B>(Mutex<HashMap<String, Named<B>>>);

/// The series of one name.
#[derive(Debug)]
struct Named<B> {
    by_labels: HashMap<Key, Arc<B>>,
    /// One for all labels that come after there are enough.
    rest: Option<Arc<B>>,
}

impl<B> AllSeries<B> {
    /// Of how many sets of labels a metric has series of their own: labels may be made from data. As many as the SDK keeps.
    const MOST: usize = 2_000;

    /// The series of this key; made, if there is none yet.
    pub(super) fn of(&self, key: &Key, make: impl FnOnce(Vec<KeyValue>) -> B) -> Arc<B> {
        let is_full = match self.0.lock().get(key.name()) {
            Some(named) => {
                let is_full = named.by_labels.len() >= Self::MOST;
                let known = named.by_labels.get(key);
                if let Some(known) = known.or_else(|| named.rest.as_ref().filter(|_| is_full)) {
                    return known.clone();
                }
                is_full
            }
            None => false,
        };
        // Without the lock: the SDK may log, and who receives lines may count them.
        let made = Arc::new(make(if is_full { rest() } else { labels(key) }));
        let mut all = self.0.lock();
        let named = all.entry(key.name().to_owned()).or_default();
        if is_full {
            named.rest.get_or_insert(made).clone()
        } else {
            named.by_labels.entry(key.clone()).or_insert(made).clone()
        }
    }
}

impl<B> Default for AllSeries<B> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<B> Default for Named<B> {
    fn default() -> Self {
        Self { by_labels: HashMap::new(), rest: None }
    }
}

fn labels(key: &Key) -> Vec<KeyValue> {
    key.labels().map(|it| KeyValue::new(it.key().to_owned(), it.value().to_owned())).collect()
}

/// What OpenTelemetry calls the rest.
fn rest() -> Vec<KeyValue> {
    vec![KeyValue::new("otel.metric.overflow", true)]
}
