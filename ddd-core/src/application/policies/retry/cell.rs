use serde_json::{Map, Value};

use super::{
    super::{
        ambient,
        policy_cell::{PolicyCell, PolicySettings},
        state_cell::{Held, StateCell},
    },
    attempts::Attempts,
    state::State,
};
use crate::{
    domain::{PolicyKind, RetrySettings, Site},
    ports::PolicyChangeError,
};

/// The retry of one function.
#[derive(Debug)]
pub struct RetryCell {
    site: Site,
    settings: RetrySettings,
    state: StateCell<State>,
}

impl RetryCell {
    /// With the settings of its attribute.
    #[must_use]
    pub const fn new(site: Site, settings: RetrySettings) -> Self {
        Self { site, settings, state: StateCell::new() }
    }

    /// A call begins, and with it its first attempt.
    #[inline]
    pub fn start(&'static self) -> Attempts {
        Attempts::start(self.site.name, self.state())
    }

    #[inline]
    fn state(&'static self) -> Held<State> {
        self.state.get(|| State::new(self.settings))
    }
}

impl PolicySettings for RetrySettings {
    const KIND: PolicyKind = PolicyKind::Retry;
    const FIXED: &'static [&'static str] = &["budget"];

    fn problems(&self) -> Vec<String> {
        self.problems()
    }
}

impl PolicyCell for RetryCell {
    type Settings = RetrySettings;

    fn site(&self) -> &Site {
        &self.site
    }

    fn annotated(&self) -> &RetrySettings {
        &self.settings
    }

    fn look<T>(&'static self, look: impl FnOnce(&RetrySettings) -> T) -> T {
        look(&self.state().settings())
    }

    fn adopt<E>(&'static self, next: impl FnOnce(&RetrySettings) -> Result<RetrySettings, E>) -> Result<(), E> {
        self.state().adopt(next)
    }

    fn completed(&self, changed: RetrySettings) -> Result<RetrySettings, PolicyChangeError> {
        // No text that lives long enough, so it is lost on the way.
        Ok(RetrySettings { budget: self.settings.budget, ..changed })
    }

    fn figures(&'static self) -> Map<String, Value> {
        self.state().figures()
    }

    fn reset_figures(&'static self) {
        self.state().reset_figures();
    }

    fn clear(&'static self) {
        if let Some(budget) = &self.state().budget {
            budget.fill(ambient::now());
        }
    }
}
