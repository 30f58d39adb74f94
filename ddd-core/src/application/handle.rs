//! A submitted task, as its submitter sees it.

use std::{fmt, future::poll_fn, marker::PhantomData, sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::{
    seat::{Ending, Seat},
    services::Services,
    store_call::Pause,
};
use crate::{
    domain::{AttemptError, TaskId, TaskRecord, TaskStatus},
    ports::{Attention, Control, Controlled, StoreError},
};

/// A submitted task. Await its result, look at its record, cancel it; or drop the handle: the task runs all the same.
pub struct TaskHandle<O> {
    id: TaskId,
    found: Found,
    /// Where the task was when its submission was answered.
    submitted_as: Option<TaskStatus>,
    seat: Arc<Seat>,
    services: Arc<Services>,
    output: PhantomData<fn() -> O>,
}

/// How a handle came to its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// By submitting it.
    Submitted,
    /// It was there before.
    Existing,
    /// The same submission had been answered with it before.
    Replayed,
}

/// A task yielded no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultError {
    /// Its last attempt failed.
    #[error("the task failed: {}", .0.message)]
    Failed(AttemptError),
    /// Its last attempt ran over its timeout.
    #[error("the task ran over its timeout")]
    TimedOut(AttemptError),
    /// It was cancelled.
    #[error("the task was cancelled")]
    Cancelled,
    /// It succeeded, but its result is no longer kept; or nothing is known of it any more.
    #[error("the result is no longer kept")]
    Expired,
    /// The result does not fit the type that is asked for.
    #[error("the result cannot be read")]
    Undecodable(#[source] serde_json::Error),
    /// The store could not say.
    #[error("the store could not tell the result")]
    Store(#[from] StoreError),
}

impl<O: DeserializeOwned + Send + 'static> TaskHandle<O> {
    /// A handle on a task about to be submitted with its seat as watcher.
    pub(crate) fn new(services: Arc<Services>, id: TaskId, seat: Arc<Seat>) -> Self {
        Self { id, found: Found::Submitted, submitted_as: None, seat, services, output: PhantomData }
    }

    /// A handle on a task that was there before.
    pub(crate) fn of_existing(services: Arc<Services>, id: TaskId) -> Self {
        let seat = Arc::new(Seat::default());
        services.store.watch(id, seat.clone());
        Self { id, found: Found::Existing, submitted_as: None, seat, services, output: PhantomData }
    }

    /// The same application's handle on a task that was there before.
    pub(crate) fn instead(self, id: TaskId) -> Self {
        Self::of_existing(self.services, id)
    }

    /// The same application's handle on the task that the same submission was answered with before.
    pub(crate) fn replayed(self, id: TaskId, status: TaskStatus) -> Self {
        Self { found: Found::Replayed, submitted_as: Some(status), ..self.instead(id) }
    }

    /// With the status in which the store took the task.
    pub(crate) fn stored_as(self, status: TaskStatus) -> Self {
        Self { submitted_as: Some(status), ..self }
    }

    /// The task's identity.
    #[must_use]
    pub const fn id(&self) -> TaskId {
        self.id
    }

    /// Whether the submission found a task with its unique key, and this is that one.
    #[must_use]
    pub const fn is_duplicate(&self) -> bool {
        matches!(self.found, Found::Existing)
    }

    /// Whether the same submission was answered before, under its [`IdempotencyKey`](crate::IdempotencyKey), and this is the
    /// task that it led to then.
    #[must_use]
    pub const fn is_replayed(&self) -> bool {
        matches!(self.found, Found::Replayed)
    }

    /// Where the task was when its submission was answered; of one that was submitted again under its idempotency key, when
    /// it was answered first. `None` if nothing was stored by this submission.
    #[must_use]
    pub const fn submitted_as(&self) -> Option<TaskStatus> {
        self.submitted_as
    }

    /// Waits for the end of the task's run, wherever it runs, and yields its result.
    ///
    /// A result that this process has seen is kept by the handle, however soon the store drops it.
    ///
    /// # Errors
    /// The task yielded none.
    pub async fn result(&self) -> Result<O, ResultError> {
        // Another process may have ended it; hints can be lost; so now and then the store is asked.
        const LOOK: Duration = Duration::from_millis(500);
        let mut ask = self.found != Found::Submitted;
        let mut pause = Pause::default();
        loop {
            let mut ended_before = false;
            if !ask {
                let ended = match self.seat.ending() {
                    // Looked at before a timer is set: most results are there when they are asked for.
                    Some(ending) => Ok(ending),
                    None => {
                        self.services.store.attend(Attention::Ends);
                        timeout(LOOK, poll_fn(|cx| self.seat.poll(cx.waker()))).await
                    }
                };
                match ended {
                    Ok(Ending::Success(json)) => return decode(json.as_deref()),
                    Ok(Ending::Recorded) => ended_before = true,
                    Err(_) => {}
                }
            }
            let record = match self.record().await {
                Ok(record) => record.ok_or(ResultError::Expired)?,
                Err(error) if error.is_transient() => {
                    pause.report_and_wait(&error, "waiting for a result").await;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if record.status.is_terminal() {
                return read(&record);
            }
            ask = false;
            if ended_before {
                // A `retry` has begun another run since: its end is waited for in turn.
                self.seat.reset();
                self.services.store.watch(self.id, self.seat.clone());
            }
        }
    }

    /// The task's record; `None` if it is no longer kept.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn record(&self) -> Result<Option<TaskRecord>, StoreError> {
        super::records::get(&self.services, self.id).await
    }

    /// Where the task is in its life; `None` if its record is no longer kept.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn status(&self) -> Result<Option<TaskStatus>, StoreError> {
        Ok(self.record().await?.map(|it| it.status))
    }

    /// Cancels the task. The answer tells who won.
    ///
    /// # Errors
    /// The store could not do it.
    pub async fn cancel(&self) -> Result<Controlled, StoreError> {
        let control = Control::Cancel { ids: vec![self.id], reason: "cancelled through its handle".to_owned() };
        let answers = super::control::apply(&self.services, control).await?;
        Ok(answers.into_iter().next().map_or(Controlled::Unknown, |it| it.1))
    }
}

impl<O> fmt::Debug for TaskHandle<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskHandle").field(&self.id).finish()
    }
}

fn read<O: DeserializeOwned>(record: &TaskRecord) -> Result<O, ResultError> {
    let error = |record: &TaskRecord| {
        record.last_error().cloned().unwrap_or_else(|| {
            AttemptError::new(crate::domain::FailureKind::Error, "its errors are no longer kept".to_owned())
        })
    };
    match record.status {
        TaskStatus::Success if record.result_until.is_some() && record.result.is_none() => Err(ResultError::Expired),
        TaskStatus::Success => decode(record.result.as_deref()),
        TaskStatus::Timeout => Err(ResultError::TimedOut(error(record))),
        TaskStatus::Cancelled => Err(ResultError::Cancelled),
        _ => Err(ResultError::Failed(error(record))),
    }
}

fn decode<O: DeserializeOwned>(json: Option<&RawValue>) -> Result<O, ResultError> {
    serde_json::from_str(json.map_or("null", RawValue::get)).map_err(ResultError::Undecodable)
}
