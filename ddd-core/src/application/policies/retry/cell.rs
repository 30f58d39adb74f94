use serde_json::{Map, Value};

use super::{
    super::{
        ambient,
        settings::{changed, shown, sound},
        state_cell::{Held, StateCell},
    },
    attempts::Attempts,
    state::State,
};
use crate::{
    domain::{PolicyKind, RetrySettings, Site},
    ports::{Policy, PolicyChangeError},
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

    fn next(&self, current: &RetrySettings, settings: &Map<String, Value>) -> Result<RetrySettings, PolicyChangeError> {
        let next = changed(current, settings, RetrySettings::FIXED)?;
        // No text that lives long enough, so it is lost on the way.
        let next = RetrySettings { budget: self.settings.budget, ..next };
        sound(&next.problems())?;
        Ok(next)
    }
}

impl Policy for RetryCell {
    fn kind(&self) -> PolicyKind {
        PolicyKind::Retry
    }

    fn site(&self) -> &Site {
        &self.site
    }

    fn problems(&self) -> Vec<String> {
        self.settings.problems()
    }

    fn annotated(&self) -> Map<String, Value> {
        shown(&self.settings)
    }

    fn effective(&'static self) -> Map<String, Value> {
        shown(&self.state().settings())
    }

    fn figures(&'static self) -> Map<String, Value> {
        self.state().figures()
    }

    fn change(&'static self, settings: &Map<String, Value>) -> Result<(), PolicyChangeError> {
        let state = self.state();
        state.set(self.next(&state.settings(), settings)?);
        Ok(())
    }

    fn check(&'static self, settings: &Map<String, Value>) -> Result<(), PolicyChangeError> {
        self.next(&self.state().settings(), settings).map(drop)
    }

    fn reset(&'static self) {
        let state = self.state();
        state.set(self.settings);
        state.zero();
    }

    fn clear(&'static self) {
        if let Some(budget) = &self.state().budget {
            budget.fill(ambient::now());
        }
    }
}
