//! A handle's place to wait for the end of its task.

use std::{
    sync::Arc,
    task::{Poll, Waker},
};

use parking_lot::Mutex;
use serde_json::value::RawValue;

use crate::{domain::TaskStatus, ports::Watcher};

/// How a run ended, as far as this process knows without asking the store.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    /// Well, with this result.
    Success(Option<Arc<RawValue>>),
    /// The store knows how.
    Recorded,
}

/// A place to wait for the end of a task.
#[derive(Debug, Default)]
pub(crate) struct Seat(Mutex<State>);

#[derive(Debug)]
enum State {
    Waiting(Vec<Waker>),
    Ended(Ending),
}

impl Default for State {
    fn default() -> Self {
        Self::Waiting(Vec::new())
    }
}

impl Seat {
    /// The ending, if there is one.
    pub(crate) fn ending(&self) -> Option<Ending> {
        match &*self.0.lock() {
            State::Ended(ending) => Some(ending.clone()),
            State::Waiting(_) => None,
        }
    }

    /// The ending; or the waker is kept until there is one.
    pub(crate) fn poll(&self, waker: &Waker) -> Poll<Ending> {
        match &mut *self.0.lock() {
            State::Ended(ending) => Poll::Ready(ending.clone()),
            State::Waiting(wakers) => {
                if !wakers.iter().any(|it| it.will_wake(waker)) {
                    wakers.push(waker.clone());
                }
                Poll::Pending
            }
        }
    }

    /// Forgets the ending, to wait for another one.
    pub(crate) fn reset(&self) {
        let mut state = self.0.lock();
        if matches!(*state, State::Ended(_)) {
            *state = State::default();
        }
    }
}

impl Watcher for Seat {
    fn ended(&self, status: TaskStatus, result: Option<Arc<RawValue>>) {
        let ending = if status == TaskStatus::Success { Ending::Success(result) } else { Ending::Recorded };
        let before = std::mem::replace(&mut *self.0.lock(), State::Ended(ending));
        if let State::Waiting(wakers) = before {
            wakers.into_iter().for_each(Waker::wake);
        }
    }

    fn look(&self) {
        let mut state = self.0.lock();
        // What this process has seen itself says more.
        if let State::Waiting(wakers) = &mut *state {
            let wakers = std::mem::take(wakers);
            *state = State::Ended(Ending::Recorded);
            drop(state);
            wakers.into_iter().for_each(Waker::wake);
        }
    }
}
