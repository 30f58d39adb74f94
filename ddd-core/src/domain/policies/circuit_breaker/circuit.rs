use serde::Serialize;

use super::{
    recent::{Bad, Recent, Totals},
    settings::CircuitBreakerSettings,
    verdict::Verdict,
};
use crate::domain::Moment;

/// A circuit: it lets calls through, learns how they ended, and stops them for a while when too many are bad.
///
/// It only opens when a call ends badly; a good call never opens it. What began before it changed its state says nothing
/// about the state that it has now, and is not counted.
#[derive(Clone, Debug)]
pub struct Circuit {
    settings: CircuitBreakerSettings,
    state: State,
    hold: Option<Hold>,
    /// Grows with every change of the state.
    generation: u32,
    recent: Recent,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open { since: Moment },
    HalfOpen { since: Moment, running: u32, ended: Totals },
}

/// A state that somebody holds a circuit in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hold {
    /// It refuses every call.
    Open,
    /// It lets every call through, counts, and does not open.
    Closed,
    /// It lets every call through and does not count.
    Disabled,
}

/// How a circuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CircuitState {
    /// It lets calls through.
    Closed,
    /// It refuses calls.
    Open,
    /// It lets some calls through, to see how they end.
    HalfOpen,
    /// It is held open.
    ForcedOpen,
    /// It is held closed.
    ForcedClosed,
    /// It is held out of the way.
    Disabled,
}

/// A call that was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Admission {
    /// In which generation of the circuit it began.
    pub generation: u32,
}

/// A state that a circuit entered by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transition {
    /// Too many calls were bad.
    Opened,
    /// It has been open for long enough.
    HalfOpened,
    /// The probes were good.
    Closed,
}

impl Circuit {
    /// A closed one that has seen no call.
    #[must_use]
    pub fn new(settings: CircuitBreakerSettings) -> Self {
        Self { settings, state: State::Closed, hold: None, generation: 0, recent: Recent::new(settings.window) }
    }

    /// Its settings.
    #[must_use]
    pub const fn settings(&self) -> &CircuitBreakerSettings {
        &self.settings
    }

    /// The number of its state: another one whenever calls that began before no longer count.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// How it stands.
    #[must_use]
    pub const fn state(&self) -> CircuitState {
        match (self.hold, self.state) {
            (Some(Hold::Open), _) => CircuitState::ForcedOpen,
            (Some(Hold::Closed), _) => CircuitState::ForcedClosed,
            (Some(Hold::Disabled), _) => CircuitState::Disabled,
            (None, State::Closed) => CircuitState::Closed,
            (None, State::Open { .. }) => CircuitState::Open,
            (None, State::HalfOpen { .. }) => CircuitState::HalfOpen,
        }
    }

    /// Until when it refuses every call, if it does. [`Moment::MAX`] if it is held open.
    #[must_use]
    pub fn open_until(&self) -> Option<Moment> {
        match (self.hold, self.state) {
            (Some(Hold::Open), _) => Some(Moment::MAX),
            (None, State::Open { since }) => Some(since.after(self.settings.open_for)),
            _ => None,
        }
    }

    /// What is in the window now.
    #[must_use]
    pub fn totals(&self, now: Moment) -> Totals {
        self.recent.totals(self.slice(now))
    }

    /// Whether a call may begin, and whether the circuit changed for it.
    ///
    /// A circuit that was open for long enough is half open from here on, and lets exactly `probes` calls through. Probes
    /// that have not ended after another `open_for` are given up, so that calls which hang cannot keep it half open.
    pub fn admit(&mut self, now: Moment) -> (Option<Admission>, Option<Transition>) {
        if matches!(self.hold, Some(Hold::Open)) {
            return (None, None);
        }
        let mut transition = None;
        let admitted = match (self.hold, &mut self.state) {
            (Some(_), _) | (None, State::Closed) => true,
            (None, State::HalfOpen { since, running, ended })
                if u64::from(*running) + ended.calls < u64::from(self.settings.probes)
                    && now < since.after(self.settings.open_for) =>
            {
                *running += 1;
                true
            }
            (None, State::Open { since } | State::HalfOpen { since, .. }) => {
                let is_over = now >= since.after(self.settings.open_for);
                if is_over {
                    let is_new = matches!(self.state, State::Open { .. });
                    self.enter(State::HalfOpen { since: now, running: 1, ended: Totals::default() });
                    transition = is_new.then_some(Transition::HalfOpened);
                }
                is_over
            }
        };
        (admitted.then_some(Admission { generation: self.generation }), transition)
    }

    /// So many good calls of this generation ended, in this slice of the window (see [`Window::slice`](super::Window::slice)).
    /// For a closed circuit only: there the order of good calls among themselves does not matter.
    pub fn good(&mut self, generation: u32, calls: u64, slice: u64) {
        if generation == self.generation && self.is_closed() {
            self.recent.good(calls, slice);
        }
    }

    /// A call ended, and was slow or not. Answers with what the circuit became by it.
    pub fn end(&mut self, call: Admission, verdict: Verdict, slow: bool, now: Moment) -> Option<Transition> {
        if call.generation != self.generation || matches!(self.hold, Some(Hold::Open | Hold::Disabled)) {
            return None;
        }
        let bad = Bad { failed: verdict == Verdict::Failed, slow: slow && self.settings.slow_call.is_some() };
        if self.is_closed() {
            return self.end_closed(verdict, bad, now);
        }
        let State::HalfOpen { running, ended, .. } = &mut self.state else { return None };
        *running = running.saturating_sub(1);
        if verdict == Verdict::Ignored {
            return None;
        }
        ended.add(bad);
        match self.settings.are_probes_too_bad(*ended) {
            Some(true) => Some(self.open(now)),
            Some(false) => {
                self.close();
                Some(Transition::Closed)
            }
            None => None,
        }
    }

    /// New settings, which count from now on. Another window begins empty.
    pub fn change(&mut self, settings: CircuitBreakerSettings) {
        let is_same_window = settings.window == self.settings.window;
        self.settings = settings;
        if !is_same_window {
            self.recent = Recent::new(settings.window);
            if self.is_closed() {
                self.generation = self.generation.wrapping_add(1);
            }
        }
    }

    /// Forgets all calls. Unless it is held open, it lets calls through again.
    pub fn clear(&mut self) {
        self.close();
    }

    /// Holds it in a state, or lets it go; it then is closed and has seen no call.
    pub fn force(&mut self, hold: Option<Hold>) {
        self.hold = hold;
        self.close();
    }

    /// The slice of the window that a moment is in; 0 if the window is one of calls.
    #[must_use]
    pub fn slice(&self, now: Moment) -> u64 {
        self.settings.window.slice().map_or(0, |length| now.as_nanos() / length)
    }

    fn end_closed(&mut self, verdict: Verdict, bad: Bad, now: Moment) -> Option<Transition> {
        let slice = self.slice(now);
        match verdict {
            Verdict::Ignored => return None,
            Verdict::Good if !bad.slow => {
                self.recent.good(1, slice);
                return None;
            }
            Verdict::Good | Verdict::Failed => self.recent.bad(bad, slice),
        }
        let opens = self.hold.is_none() && self.settings.is_too_bad(self.recent.totals(slice));
        opens.then(|| self.open(now))
    }

    const fn is_closed(&self) -> bool {
        matches!(self.hold, Some(Hold::Closed)) || self.hold.is_none() && matches!(self.state, State::Closed)
    }

    fn open(&mut self, now: Moment) -> Transition {
        self.enter(State::Open { since: now });
        Transition::Opened
    }

    fn close(&mut self) {
        self.enter(State::Closed);
    }

    /// Every state begins with an empty window.
    fn enter(&mut self, state: State) {
        self.state = state;
        self.generation = self.generation.wrapping_add(1);
        self.recent = Recent::new(self.settings.window);
    }
}
