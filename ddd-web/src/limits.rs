//! What callers may send, and how much of it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use ddd_core::{Quota, Timestamp, domain::QuotaState};
use parking_lot::Mutex;

use crate::{
    access::Caller,
    problem::{Problem, codes},
};

/// What callers may send, and how much of it.
#[derive(Debug)]
pub(crate) struct Limits {
    /// The largest body of a submission, in bytes.
    pub(crate) submit_body: usize,
    /// How often one caller may submit.
    pub(crate) submissions: Option<Submissions>,
}

impl Limits {
    /// The largest body of a submission unless set otherwise: 64 KiB.
    pub(crate) const SUBMIT_BODY: usize = 64 << 10;
    /// The largest body of everything else: room for 1,000 ids.
    pub(crate) const BODY: usize = 64 << 10;

    pub(crate) fn new(submit_body: usize, submissions: Option<Quota>) -> Self {
        Self { submit_body, submissions: submissions.map(Submissions::new) }
    }
}

/// How often each caller may submit. Callers are those whom the access knows, so there are not many.
#[derive(Debug)]
pub(crate) struct Submissions {
    quota: Quota,
    states: Mutex<HashMap<Option<Arc<str>>, QuotaState>>,
}

impl Submissions {
    fn new(quota: Quota) -> Self {
        Self { quota, states: Mutex::default() }
    }

    /// Counts a submission.
    ///
    /// # Errors
    /// It is one too many.
    pub(crate) fn count(&self, caller: &Caller, now: Timestamp) -> Result<(), Problem> {
        let mut states = self.states.lock();
        let state = states.entry(caller.shared_owner()).or_default();
        let (granted, next) = self.quota.take(state, 1, now);
        drop(states);
        if granted == 1 {
            return Ok(());
        }
        let wait = next.map_or(Duration::from_secs(1), |it| it.since(now));
        let detail = format!("at most {} submissions are taken in {:?}", self.quota.limit(), self.quota.per());
        Err(Problem::of(&codes::RATE_LIMITED).detail(detail).retry_after(wait))
    }
}
