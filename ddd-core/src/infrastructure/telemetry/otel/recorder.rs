//! What is counted through the facade `metrics`, as instruments of OpenTelemetry.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use opentelemetry::{KeyValue, metrics as otel};
use parking_lot::Mutex;

/// Takes what the facade is told, and gives it to a meter.
#[derive(Debug)]
pub(crate) struct OtelRecorder {
    meter: otel::Meter,
    /// Units and descriptions, which are told before an instrument is made.
    described: Mutex<HashMap<String, (Option<Unit>, SharedString)>>,
}

impl OtelRecorder {
    pub(crate) fn new(meter: otel::Meter) -> Self {
        Self { meter, described: Mutex::default() }
    }

    fn describe(&self, key: &KeyName, unit: Option<Unit>, description: SharedString) {
        self.described.lock().insert(key.as_str().to_owned(), (unit, description));
    }

    /// Unit and description of an instrument, in OpenTelemetry's own words.
    fn described(&self, key: &Key) -> (&'static str, String) {
        let described = self.described.lock();
        let Some((unit, description)) = described.get(key.name()) else { return ("", String::new()) };
        let unit = match unit {
            Some(Unit::Seconds) => "s",
            Some(Unit::Bytes) => "By",
            _ => "",
        };
        (unit, description.to_string())
    }
}

/// One instrument with one set of labels.
struct Bound<I> {
    instrument: I,
    labels: Vec<KeyValue>,
    /// What was said last: the sum of a counter, the bits of a gauge.
    last: AtomicU64,
}

impl<I> Bound<I> {
    fn new(instrument: I, key: &Key) -> Arc<Self> {
        let labels = key.labels().map(|it| KeyValue::new(it.key().to_owned(), it.value().to_owned())).collect();
        Arc::new(Self { instrument, labels, last: AtomicU64::new(0) })
    }
}

impl CounterFn for Bound<otel::Counter<u64>> {
    fn increment(&self, value: u64) {
        self.last.fetch_add(value, Ordering::Relaxed);
        self.instrument.add(value, &self.labels);
    }

    fn absolute(&self, value: u64) {
        let before = self.last.fetch_max(value, Ordering::Relaxed);
        if value > before {
            self.instrument.add(value - before, &self.labels);
        }
    }
}

impl Bound<otel::Gauge<f64>> {
    fn change(&self, change: impl Fn(f64) -> f64) {
        let changed = |bits| Some(change(f64::from_bits(bits)).to_bits());
        // Never an error: it always has a next value.
        let _ = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
        self.instrument.record(f64::from_bits(self.last.load(Ordering::Relaxed)), &self.labels);
    }
}

impl GaugeFn for Bound<otel::Gauge<f64>> {
    fn increment(&self, value: f64) {
        self.change(|it| it + value);
    }

    fn decrement(&self, value: f64) {
        self.change(|it| it - value);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl HistogramFn for Bound<otel::Histogram<f64>> {
    fn record(&self, value: f64) {
        self.instrument.record(value, &self.labels);
    }
}

impl Recorder for OtelRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&key, unit, description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let (unit, description) = self.described(key);
        let builder = self.meter.u64_counter(key.name().to_owned()).with_unit(unit).with_description(description);
        Counter::from_arc(Bound::new(builder.build(), key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let (unit, description) = self.described(key);
        let builder = self.meter.f64_gauge(key.name().to_owned()).with_unit(unit).with_description(description);
        Gauge::from_arc(Bound::new(builder.build(), key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let (unit, description) = self.described(key);
        let builder = self.meter.f64_histogram(key.name().to_owned()).with_unit(unit).with_description(description);
        // Bounds of durations in seconds: those that the conventions propose, and some more for tasks that are quick or slow.
        let bounds = vec![
            0.000_1, 0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 60.0,
            600.0,
        ];
        Histogram::from_arc(Bound::new(builder.with_boundaries(bounds).build(), key))
    }
}
