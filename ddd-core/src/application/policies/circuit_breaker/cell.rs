use std::sync::{Arc, atomic::Ordering};

use serde_json::{Map, Value, json};

use super::{
    super::{
        ambient,
        policy_cell::{PolicyCell, PolicySettings},
        settings::shown,
        state_cell::{Held, StateCell},
    },
    call::Call,
    state::{Figures, Kept, State},
};
use crate::{
    domain::{CircuitBreakerSettings, Hold, Moment, PolicyKind, Refused, RefusedKind, Site},
    ports::{Forced, PolicyChangeError},
};

/// The circuit breaker of one function. Those that have one name have one circuit.
#[derive(Debug)]
pub struct CircuitBreakerCell {
    site: Site,
    settings: CircuitBreakerSettings,
    state: StateCell<Arc<State>>,
}

impl CircuitBreakerCell {
    /// With the settings of its attribute.
    #[must_use]
    pub const fn new(site: Site, settings: CircuitBreakerSettings) -> Self {
        Self { site, settings, state: StateCell::new() }
    }

    /// Lets a call begin.
    ///
    /// # Errors
    /// The circuit is open, or half open and all its probes have begun.
    #[inline]
    pub fn begin(&'static self) -> Result<Call, Refused> {
        let (policy, state) = (self.site.name, self.state());
        match state.begin(policy) {
            Ok(begun) => Ok(Call::new(policy, state, begun)),
            Err(retry_after) => Err(Refused::new(RefusedKind::CircuitOpen, policy, retry_after)),
        }
    }

    #[inline]
    fn state(&'static self) -> Held<Arc<State>> {
        self.state.get(|| match self.site.is_named {
            true => ambient::shared(self.site.name, || State::new(self.settings)),
            false => Arc::new(State::new(self.settings)),
        })
    }
}

impl PolicySettings for CircuitBreakerSettings {
    const KIND: PolicyKind = PolicyKind::CircuitBreaker;

    fn problems(&self) -> Vec<String> {
        self.problems()
    }
}

impl PolicyCell for CircuitBreakerCell {
    type Settings = CircuitBreakerSettings;

    fn site(&self) -> &Site {
        &self.site
    }

    fn annotated(&self) -> &CircuitBreakerSettings {
        &self.settings
    }

    fn look<T>(&'static self, look: impl FnOnce(&CircuitBreakerSettings) -> T) -> T {
        self.state().look(|it, _| look(it.circuit.settings()))
    }

    fn adopt<E>(
        &'static self,
        next: impl FnOnce(&CircuitBreakerSettings) -> Result<CircuitBreakerSettings, E>,
    ) -> Result<(), E> {
        self.state().look(|it, _| {
            let next = next(it.circuit.settings())?;
            it.circuit.change(next);
            Ok(())
        })
    }

    fn figures(&'static self) -> Map<String, Value> {
        let state = self.state();
        let mut figures = state.look(shown_figures);
        let (refused, ignored) = (&state.refused.0, &state.ignored.0);
        figures.insert("ignored".to_owned(), ignored.load(Ordering::Relaxed).into());
        figures.insert("refused".to_owned(), refused.load(Ordering::Relaxed).into());
        figures
    }

    fn reset_figures(&'static self) {
        let state = self.state();
        state.look(|it, _| it.figures = Figures::default());
        state.refused.0.store(0, Ordering::Relaxed);
        state.ignored.0.store(0, Ordering::Relaxed);
    }

    fn clear(&'static self) {
        self.state().look(|it, _| it.circuit.clear());
    }

    fn force(&'static self, forced: Forced) -> Result<(), PolicyChangeError> {
        let hold = match forced {
            Forced::Open => Some(Hold::Open),
            Forced::Closed => Some(Hold::Closed),
            Forced::Disabled => Some(Hold::Disabled),
            Forced::Released => None,
        };
        self.state().look(|it, _| it.circuit.force(hold));
        Ok(())
    }
}

fn shown_figures(kept: &mut Kept, now: Moment) -> Map<String, Value> {
    let Figures { good, failed, slow, opened, half_opened, closed } = kept.figures;
    let figures = json!({
        "state": kept.circuit.state(),
        "window": kept.circuit.totals(now),
        "good": good,
        "failed": failed,
        "slow": slow,
        "opened": opened,
        "half_opened": half_opened,
        "closed": closed,
    });
    shown(&figures)
}
