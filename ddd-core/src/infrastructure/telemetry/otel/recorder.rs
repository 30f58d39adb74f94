//! What is counted through the facade `metrics`, as instruments of OpenTelemetry.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use opentelemetry::{KeyValue, metrics as otel};
use parking_lot::Mutex;

use super::series::AllSeries;

/// Takes what the facade is told, and gives it to a meter.
#[derive(Debug)]
pub(crate) struct OtelRecorder {
    meter: otel::Meter,
    /// Units and descriptions, which are told before an instrument is made.
    described: Mutex<HashMap<String, (Option<Unit>, SharedString)>>,
    counters: AllSeries<BoundCounter>,
    gauges: AllSeries<BoundGauge>,
    histograms: AllSeries<BoundHistogram>,
}

impl OtelRecorder {
    pub(crate) fn new(meter: otel::Meter) -> Self {
        Self {
            meter,
            described: Mutex::default(),
            counters: AllSeries::default(),
            gauges: AllSeries::default(),
            histograms: AllSeries::default(),
        }
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

/// One instrument with one set of labels, and what was said last.
#[derive(Debug)]
struct Bound<I, L = ()> {
    instrument: I,
    labels: Vec<KeyValue>,
    last: L,
}

/// The last is the sum.
type BoundCounter = Bound<otel::Counter<u64>, AtomicU64>;

/// Under a lock: what changed last is what is told last.
type BoundGauge = Bound<otel::Gauge<f64>, Mutex<f64>>;

type BoundHistogram = Bound<otel::Histogram<f64>>;

impl<I, L: Default> Bound<I, L> {
    fn new(instrument: I, labels: Vec<KeyValue>) -> Self {
        Self { instrument, labels, last: L::default() }
    }
}

impl CounterFn for BoundCounter {
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

impl BoundGauge {
    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut last = self.last.lock();
        *last = change(*last);
        self.instrument.record(*last, &self.labels);
    }
}

impl GaugeFn for BoundGauge {
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

impl HistogramFn for BoundHistogram {
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
        Counter::from_arc(self.counters.of(key, |labels| {
            let (unit, description) = self.described(key);
            let builder = self.meter.u64_counter(key.name().to_owned()).with_unit(unit).with_description(description);
            Bound::new(builder.build(), labels)
        }))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.gauges.of(key, |labels| {
            let (unit, description) = self.described(key);
            let builder = self.meter.f64_gauge(key.name().to_owned()).with_unit(unit).with_description(description);
            Bound::new(builder.build(), labels)
        }))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        // Bounds of durations in seconds: those that the conventions propose, and some more for tasks that are quick or slow.
        const BOUNDS: [f64; 18] = [
            0.000_1, 0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 60.0,
            600.0,
        ];
        Histogram::from_arc(self.histograms.of(key, |labels| {
            let (unit, description) = self.described(key);
            let builder = self.meter.f64_histogram(key.name().to_owned()).with_unit(unit).with_description(description);
            Bound::new(builder.with_boundaries(BOUNDS.to_vec()).build(), labels)
        }))
    }
}
