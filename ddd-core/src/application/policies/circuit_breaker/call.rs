use std::{fmt, sync::Arc, thread};

use super::{
    super::state_cell::Held,
    state::{Begun, State},
};
use crate::domain::Verdict;

/// A call that the circuit let through.
///
/// Whoever drops it without saying how it ended was cancelled, which says nothing about what was called; or it panicked, which
/// counts as a failure. In both cases a probe's permit goes back.
pub struct Call {
    policy: &'static str,
    state: Held<Arc<State>>,
    begun: Begun,
    is_ended: bool,
}

impl Call {
    #[inline]
    pub(super) const fn new(policy: &'static str, state: Held<Arc<State>>, begun: Begun) -> Self {
        Self { policy, state, begun, is_ended: false }
    }

    /// It ended so.
    #[inline]
    pub fn end(mut self, verdict: Verdict) {
        self.is_ended = true;
        self.state.end(self.begun, verdict, self.policy);
    }
}

impl Drop for Call {
    #[inline]
    fn drop(&mut self) {
        if !self.is_ended {
            let verdict = if thread::panicking() { Verdict::Failed } else { Verdict::Ignored };
            self.state.end(self.begun, verdict, self.policy);
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("policy", &self.policy).finish_non_exhaustive()
    }
}
