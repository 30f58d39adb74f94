//! Runs a task here and now, without a store.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    registry::Registered,
    services::Services,
    submit_error::SubmitError,
    worker::{self, Ended, Events, Job, RunningAttempt, Surroundings},
};
use crate::{
    domain::{Fence, Name, Timestamp},
    ports::{Claimed, Failure, InvalidParams, Task},
};

/// A task that was run at once did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// It was not run: its parameters break a rule, or its definition is not linked.
    #[error(transparent)]
    Refused(#[from] SubmitError),
    /// Its body failed.
    #[error("the task failed: {}", .0.message)]
    Failed(Failure),
    /// It ran over its timeout.
    #[error("the task ran over its timeout")]
    TimedOut,
    /// Its result cannot be read back.
    #[error("the result cannot be read")]
    Undecodable(#[source] serde_json::Error),
}

/// Runs a task with the validation, injection, timeout and span of a submitted one; one attempt, no record.
pub(crate) async fn execute<T: Task>(services: &Arc<Services>, task: T) -> Result<T::Output, ExecuteError> {
    let name = T::definition().name;
    let registered = services
        .registry
        .find(name)
        .ok_or_else(|| SubmitError::UnknownTask { name: name.to_owned(), closest: services.registry.closest(name) })?;
    let invalid = |source: InvalidParams| SubmitError::InvalidParams { name: Name::new(name), source };
    task.validate().map_err(invalid)?;
    let params =
        serde_json::value::to_raw_value(&task).map_err(|it| invalid(InvalidParams::new("", it.to_string())))?;
    let (size, limit) = (params.get().len(), services.settings.store.limits.params);
    if size > limit {
        return Err(SubmitError::TooLarge { name: registered.name.clone(), size, limit }.into());
    }
    let claimed = claim(services, registered, params.into());
    let surroundings =
        Arc::new(Surroundings { runtime: services.runtime.clone(), progress: None, worker: None, holders: 1 });
    let (attempt, params) = RunningAttempt::new(claimed, Instant::now(), surroundings);
    let attempt = Arc::new(attempt);
    let span = attempt.described().span(None);
    let job = Job { registered, params, attempt: &attempt, span: Some(span) };
    let (ended, needed) = worker::run(services, job, Events { waits: &|| {}, overdue: &|| {} }).await;
    if let Some(needed) = needed {
        needed.teardown(services.settings.teardown_timeout).await;
    }
    match ended {
        Ended::Returned(Ok(json)) => {
            serde_json::from_str(json.as_ref().map_or("null", |it| it.get())).map_err(ExecuteError::Undecodable)
        }
        Ended::Returned(Err(failure)) => Err(ExecuteError::Failed(failure)),
        Ended::TimedOut | Ended::Stopped(_) => Err(ExecuteError::TimedOut),
    }
}

fn claim(services: &Services, registered: &Registered, params: Arc<serde_json::value::RawValue>) -> Claimed {
    let now: Timestamp = services.clock.now();
    let settings = &registered.settings;
    let mut record = crate::domain::TaskRecord::new(
        services.ids.next(now),
        registered.name.clone(),
        settings.queue.clone(),
        params,
        now,
    );
    record.priority = settings.priority;
    record.timeout = settings.timeout;
    record.attempt = 1;
    record.fence = Fence::new(1);
    Claimed::of(&record, now)
}
