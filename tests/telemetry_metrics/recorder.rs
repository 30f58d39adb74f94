//! A recorder that keeps what it is told, by name and labels.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// A metric: its kind, name and labels, `name{key=value,…}`.
type Cells = Arc<Mutex<BTreeMap<(&'static str, String, BTreeMap<String, String>), Vec<f64>>>>;

#[derive(Clone, Default)]
pub(crate) struct Kept {
    pub(crate) cells: Cells,
    pub(crate) described: Arc<Mutex<BTreeMap<String, Option<Unit>>>>,
}

struct Cell(Cells, (&'static str, String, BTreeMap<String, String>));

impl Cell {
    fn change(&self, change: impl FnOnce(&mut Vec<f64>)) {
        change(self.0.lock().unwrap().entry(self.1.clone()).or_default());
    }

    fn add(&self, value: f64) {
        self.change(|it| {
            let before = it.pop().unwrap_or_default();
            it.push(before + value);
        });
    }
}

impl CounterFn for Cell {
    fn increment(&self, value: u64) {
        self.add(value as f64);
    }

    fn absolute(&self, value: u64) {
        self.change(|it| *it = vec![value as f64]);
    }
}

impl GaugeFn for Cell {
    fn increment(&self, value: f64) {
        self.add(value);
    }

    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    fn set(&self, value: f64) {
        self.change(|it| *it = vec![value]);
    }
}

impl HistogramFn for Cell {
    fn record(&self, value: f64) {
        self.change(|it| it.push(value));
    }
}

impl Kept {
    fn cell(&self, kind: &'static str, key: &Key) -> Arc<Cell> {
        let labels = key.labels().map(|it| (it.key().to_owned(), it.value().to_owned())).collect();
        Arc::new(Cell(self.cells.clone(), (kind, key.name().to_owned(), labels)))
    }

    /// The values of the metric of this name whose labels hold these.
    pub(crate) fn values(&self, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
        let cells = self.cells.lock().unwrap();
        let fits = |of: &BTreeMap<String, String>| {
            labels.iter().all(|(key, value)| of.get(*key).is_some_and(|it| it == value))
        };
        cells.iter().filter(|it| it.0.1 == name && fits(&it.0.2)).flat_map(|it| it.1.clone()).collect()
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().insert(key.as_str().to_owned(), unit);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().insert(key.as_str().to_owned(), unit);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, _: SharedString) {
        self.described.lock().unwrap().insert(key.as_str().to_owned(), unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell("counter", key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell("gauge", key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.cell("histogram", key))
    }
}
