use std::{fmt, ops::Deref, sync::Arc, sync::OnceLock};

use super::ambient::{Isolation, StateKey};

/// The state of one policy of one function: one for the process, made at the first call, and one for each isolated test.
///
/// It stands in a static, so that it lives as long as the process and its address says which one it is.
pub(super) struct StateCell<S>(OnceLock<S>);

/// A state that is in use.
pub(super) enum Held<S: 'static> {
    Process(&'static S),
    Isolated(Arc<S>),
}

impl<S: Send + Sync + 'static> StateCell<S> {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The state that counts for the caller; `make` makes it if there is none.
    pub(super) fn get(&'static self, make: impl FnOnce() -> S) -> Held<S> {
        match Isolation::current() {
            None => Held::Process(self.0.get_or_init(make)),
            Some(isolation) => Held::Isolated(isolation.state(StateKey::Cell(std::ptr::from_ref(self).addr()), make)),
        }
    }
}

impl<S> Deref for Held<S> {
    type Target = S;

    fn deref(&self) -> &S {
        match self {
            Self::Process(it) => it,
            Self::Isolated(it) => it,
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Held<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<S> fmt::Debug for StateCell<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateCell").field("is_used", &self.0.get().is_some()).finish()
    }
}
