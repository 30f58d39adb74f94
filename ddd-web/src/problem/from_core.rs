//! What the core refuses, as problems.

use std::time::Duration;

use ddd_core::{SchedulesError, StoreError, SubmitError};

use super::{codes, document::Problem, fault::Fault, pointer};

/// After how long a store that is away is worth another try.
const STORE_RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let source = &error as &dyn std::error::Error;
        if error.is_transient() {
            tracing::warn!(error = source, "the store does not answer");
            Self::of(&codes::STORE_UNAVAILABLE).detail("try again in a moment").retry_after(STORE_RETRY_AFTER)
        } else {
            tracing::error!(error = source, "the store failed");
            Self::of(&codes::INTERNAL_ERROR)
        }
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::UnknownTask { .. } => Self::of(&codes::TASK_NAME_UNKNOWN),
            SubmitError::InvalidParams { source, .. } => {
                let pointer = pointer::of_path("/params", &source.path);
                Self::of(&codes::INVALID_BODY).fault(Fault::at(pointer, source.message))
            }
            SubmitError::TooLarge { size, limit, .. } => Self::of(&codes::TOO_LARGE)
                .detail(format!("the parameters have {size} bytes; at most {limit} are taken"))
                .fault(Fault::at("/params", "is too large")),
            SubmitError::InvalidOption(problem) => Self::of(&codes::INVALID_BODY).detail(problem),
            SubmitError::QueueFull { queue, retry_after, .. } => Self::of(&codes::QUEUE_FULL)
                .detail(format!("the queue `{queue}` takes no more tasks for the moment"))
                .retry_after(retry_after),
            SubmitError::KeyReused => {
                Self::of(&codes::IDEMPOTENCY_KEY_REUSED).detail("take a new key for a new request")
            }
            SubmitError::Store(error) => error.into(),
            other => {
                tracing::error!(error = &other as &dyn std::error::Error, "a submission failed");
                Self::of(&codes::INTERNAL_ERROR)
            }
        }
    }
}

impl From<SchedulesError> for Problem {
    fn from(error: SchedulesError) -> Self {
        match error {
            SchedulesError::Unknown(_) => Self::of(&codes::SCHEDULE_NOT_FOUND),
            SchedulesError::Task(error) => error.into(),
            SchedulesError::Store(error) => error.into(),
            other => {
                tracing::error!(error = &other as &dyn std::error::Error, "a schedule failed");
                Self::of(&codes::INTERNAL_ERROR)
            }
        }
    }
}
