//! How a cell is listed, looked at and changed by name: alike for all kinds of policies. The ways of a call are each kind's own.

use std::{convert::Infallible, fmt};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::settings::{changed, shown};
use crate::{
    domain::{PolicyKind, Site},
    ports::{Forced, Policy, PolicyChangeError},
};

/// What an attribute of one kind can say.
pub(super) trait PolicySettings: Serialize + DeserializeOwned + Clone {
    /// Which attribute.
    const KIND: PolicyKind;

    /// Those that cannot change while the program runs.
    const FIXED: &'static [&'static str] = &[];

    /// What is wrong with them together, each in words.
    fn problems(&self) -> Vec<String>;
}

/// One policy of one function, with the settings of its attribute and those in force.
pub(super) trait PolicyCell: fmt::Debug + Send + Sync {
    /// Its settings.
    type Settings: PolicySettings;

    /// Where the attribute stands.
    fn site(&self) -> &Site;

    /// What the attribute says.
    fn annotated(&self) -> &Self::Settings;

    /// Looks at what is in force.
    fn look<T>(&'static self, look: impl FnOnce(&Self::Settings) -> T) -> T;

    /// Puts in force what `next` makes of what is, while nobody else changes it.
    ///
    /// # Errors
    /// Those of `next`; then nothing is changed.
    fn adopt<E>(&'static self, next: impl FnOnce(&Self::Settings) -> Result<Self::Settings, E>) -> Result<(), E>;

    /// Changed settings with what the attribute alone can say, which no text carries.
    ///
    /// # Errors
    /// The function cannot do what they ask for.
    fn completed(&self, changed: Self::Settings) -> Result<Self::Settings, PolicyChangeError> {
        Ok(changed)
    }

    /// As [`Policy::figures`].
    fn figures(&'static self) -> Map<String, Value>;

    /// Puts the figures to zero.
    fn reset_figures(&'static self);

    /// As [`Policy::clear`].
    fn clear(&'static self);

    /// As [`Policy::force`].
    ///
    /// # Errors
    /// It is no circuit breaker.
    fn force(&'static self, _forced: Forced) -> Result<(), PolicyChangeError> {
        Err(PolicyChangeError::not_forced(Self::Settings::KIND))
    }
}

impl<C: PolicyCell> Policy for C {
    fn kind(&self) -> PolicyKind {
        C::Settings::KIND
    }

    fn site(&self) -> &Site {
        PolicyCell::site(self)
    }

    fn problems(&self) -> Vec<String> {
        PolicyCell::annotated(self).problems()
    }

    fn annotated(&self) -> Map<String, Value> {
        shown(PolicyCell::annotated(self))
    }

    fn effective(&'static self) -> Map<String, Value> {
        self.look(shown)
    }

    fn figures(&'static self) -> Map<String, Value> {
        PolicyCell::figures(self)
    }

    fn change(&'static self, settings: &Map<String, Value>) -> Result<(), PolicyChangeError> {
        self.adopt(|current| next(self, current, settings))
    }

    fn check(&'static self, settings: &Map<String, Value>) -> Result<(), PolicyChangeError> {
        self.look(|current| next(self, current, settings).map(drop))
    }

    fn reset(&'static self) {
        let Ok(()) = self.adopt(|_| Ok::<_, Infallible>(PolicyCell::annotated(self).clone()));
        self.reset_figures();
    }

    fn clear(&'static self) {
        PolicyCell::clear(self);
    }

    fn force(&'static self, forced: Forced) -> Result<(), PolicyChangeError> {
        PolicyCell::force(self, forced)
    }
}

/// The settings of `cell` that `change` makes of `current`.
fn next<C: PolicyCell>(
    cell: &C,
    current: &C::Settings,
    change: &Map<String, Value>,
) -> Result<C::Settings, PolicyChangeError> {
    let next = cell.completed(changed(current, change, C::Settings::FIXED)?)?;
    match next.problems() {
        problems if problems.is_empty() => Ok(next),
        problems => Err(PolicyChangeError::new("", problems.join("; "))),
    }
}
