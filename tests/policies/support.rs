//! What the tests of all policies share.

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use ddd_core::{domain::Moment, ports::Policy};
use serde_json::{Map, Value};

/// A policy in a static of its own, as generated code has it.
#[macro_export]
macro_rules! cell {
    ($cell:ident, $settings:expr) => {
        $crate::cell!($cell, $settings, ddd_core::__private::Site::new("function", file!(), line!(), 0))
    };
    ($cell:ident, $settings:expr, $site:expr) => {{
        static CELL: ddd_core::__private::policies::$cell = ddd_core::__private::policies::$cell::new($site, $settings);
        &CELL
    }};
}

/// Prints the seed if the test fails.
pub(crate) struct Seed(pub(crate) u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            #[allow(clippy::print_stderr, reason = "how to see the failure again")]
            {
                eprintln!("seed {}: set DDD_SEED to run this case alone", self.0);
            }
        }
    }
}

/// So many seeds, other ones each time; the one of `DDD_SEED`, if it is set.
pub(crate) fn seeds(cases: u64) -> Vec<u64> {
    match env::var("DDD_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => {
            let first = fastrand::u64(..u64::MAX - cases);
            #[allow(clippy::print_stdout, reason = "how to see a failure again")]
            {
                println!("seeds from {first}");
            }
            (first..first + cases).collect()
        }
    }
}

/// A clock that the test moves.
#[derive(Clone, Default)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    pub(crate) fn now(&self) -> Moment {
        Moment::from_nanos(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.0.fetch_add(u64::try_from(duration.as_nanos()).unwrap(), Ordering::SeqCst);
    }

    /// To this time after its start, even if that is back.
    pub(crate) fn set(&self, time: Duration) {
        self.0.store(u64::try_from(time.as_nanos()).unwrap(), Ordering::SeqCst);
    }

    /// For `isolated_with_clock`.
    pub(crate) fn read(&self) -> impl Fn() -> Moment + Send + Sync + 'static {
        let clock = self.clone();
        move || clock.now()
    }
}

/// A figure that is a number.
pub(crate) fn figure(policy: &'static dyn Policy, name: &str) -> u64 {
    let figures = policy.figures();
    figures[name].as_u64().unwrap_or_else(|| panic!("{name} in {figures:?}"))
}

/// Settings as JSON.
pub(crate) fn settings(json: Value) -> Map<String, Value> {
    match json {
        Value::Object(it) => it,
        other => panic!("no object: {other}"),
    }
}
