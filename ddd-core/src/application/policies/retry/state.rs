use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use parking_lot::Mutex;
use serde_json::{Map, Value};

use super::{
    super::{ambient, counters::Counters},
    budget::SharedBudget,
};
use crate::domain::{Moment, RetrySettings};

/// The retries of one function.
#[derive(Debug)]
pub(super) struct State {
    settings: Mutex<RetrySettings>,
    /// Whether `max_elapsed` is set. Else a call that does not fail never looks at the clock.
    is_timed: AtomicBool,
    pub(super) budget: Option<Arc<SharedBudget>>,
    calls: Counters<1>,
    pub(super) rare: Rare,
}

/// What is counted when a call fails.
#[derive(Debug, Default)]
pub(super) struct Rare {
    pub(super) retries: AtomicU64,
    pub(super) recovered: AtomicU64,
    pub(super) out_of_attempts: AtomicU64,
    pub(super) out_of_time: AtomicU64,
    pub(super) out_of_budget: AtomicU64,
    pub(super) not_retryable: AtomicU64,
}

impl State {
    pub(super) fn new(settings: RetrySettings) -> Self {
        let budget = settings.budget.map(|it| ambient::shared(it, || SharedBudget::new(ambient::now())));
        Self {
            settings: Mutex::new(settings),
            is_timed: AtomicBool::new(settings.max_elapsed.is_some()),
            budget,
            calls: Counters::default(),
            rare: Rare::default(),
        }
    }

    /// Counts a call that begins; the time, if its length matters.
    pub(super) fn begin(&self) -> Option<Moment> {
        self.calls.count(0);
        self.is_timed.load(Ordering::Relaxed).then(ambient::now)
    }

    pub(super) fn settings(&self) -> RetrySettings {
        *self.settings.lock()
    }

    /// Puts in force what `next` makes of the settings that are.
    ///
    /// # Errors
    /// Those of `next`.
    pub(super) fn adopt<E>(&self, next: impl FnOnce(&RetrySettings) -> Result<RetrySettings, E>) -> Result<(), E> {
        let mut settings = self.settings.lock();
        *settings = next(&settings)?;
        self.is_timed.store(settings.max_elapsed.is_some(), Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn figures(&self) -> Map<String, Value> {
        let calls = self.calls.sum(0);
        let rare = self.rare.all();
        let retries = self.rare.retries.load(Ordering::Relaxed);
        let mut figures = Map::new();
        figures.insert("calls".to_owned(), calls.into());
        figures.insert("attempts".to_owned(), (calls + retries).into());
        figures.extend(rare.map(|(name, it)| (name.to_owned(), it.load(Ordering::Relaxed).into())));
        if let Some(budget) = &self.budget {
            figures.insert("budget_left".to_owned(), budget.left(ambient::now()).into());
        }
        figures
    }

    pub(super) fn reset_figures(&self) {
        self.calls.reset();
        self.rare.all().for_each(|(_, it)| it.store(0, Ordering::Relaxed));
    }
}

impl Rare {
    fn all(&self) -> impl Iterator<Item = (&'static str, &AtomicU64)> {
        [
            ("retries", &self.retries),
            ("recovered", &self.recovered),
            ("out_of_attempts", &self.out_of_attempts),
            ("out_of_time", &self.out_of_time),
            ("out_of_budget", &self.out_of_budget),
            ("not_retryable", &self.not_retryable),
        ]
        .into_iter()
    }
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
