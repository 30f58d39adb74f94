use std::sync::atomic::AtomicUsize;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::ports::{Enqueued, NewTask, StoreError};

/// Submissions of many callers that wait for those before them, and go together.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    pub(super) waiting: Mutex<Vec<Waiting>>,
    /// How many batches are on the way.
    pub(super) on_the_way: AtomicUsize,
}

/// What one caller submits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) tasks: Vec<NewTask>,
    pub(super) answer: oneshot::Sender<Result<Vec<Enqueued>, StoreError>>,
}
