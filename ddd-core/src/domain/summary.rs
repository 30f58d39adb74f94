//! A task in short: what a list shows of it.

use std::time::Duration;

use serde::Serialize;

use super::{
    AttemptError, Fence, Label, Name, Origin, Priority, Progress, TaskId, TaskRecord, TaskStatus, Timestamp, WorkerId,
    truncated, waiting::waits_for,
};

/// A task as a list shows it: its record without what may be large. `Tasks::get` has the whole.
///
/// What is left out are the parameters, the result, and all errors but the newest, of which the first line that is not blank is here. So a summary takes
/// a few hundred bytes whatever its task holds, and stores read no more than that.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TaskSummary {
    /// Its identity.
    pub id: TaskId,
    /// The name of its definition.
    pub name: Name,
    /// The version of the definition that it was submitted with.
    pub version: u32,
    /// The queue that it waits in.
    pub queue: Name,
    /// How urgent it is.
    pub priority: Priority,
    /// Where it is in its life.
    pub status: TaskStatus,
    /// Counts from 1; a `retry` of a finished task begins the next run.
    pub run: u32,
    /// How many attempts of this run have begun, less those given back. The first attempt is number 1.
    pub attempt: u32,
    /// How many attempts a run may have.
    pub max_attempts: u32,
    /// How many workers died while they ran it.
    pub crashes: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// The number of its last claim.
    pub fence: Fence,
    /// When it may start at the earliest.
    pub due: Timestamp,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When its last attempt began.
    pub started_at: Option<Timestamp>,
    /// When its run ended.
    pub finished_at: Option<Timestamp>,
    /// Until when its worker holds it, unless renewed.
    pub lease_until: Option<Timestamp>,
    /// Which worker holds it, or held it last.
    pub worker: Option<WorkerId>,
    /// Whether it was cancelled while it ran, and the body has not ended yet.
    pub cancel_requested: bool,
    /// Whether its body ran over the timeout and could not be stopped: it still occupies its slot.
    pub still_running: bool,
    /// How far it says it is.
    pub progress: Option<Box<Progress>>,
    /// Whether a result is kept for it.
    pub has_result: bool,
    /// When the result is dropped.
    pub result_until: Option<Timestamp>,
    /// The newest error; of its message the first line that is not blank, at most [`TaskSummary::MAX_ERROR`] bytes.
    pub error: Option<Box<AttemptError>>,
    /// What few tasks have: tags, keys, origin.
    pub label: Option<Box<Label>>,
}

impl TaskSummary {
    /// How many bytes of the newest error's message a summary shows.
    pub const MAX_ERROR: usize = 256;

    /// What a list shows of `record` at `now`, when an expired result is gone.
    #[must_use]
    pub fn of(record: &TaskRecord, now: Timestamp) -> Self {
        Self {
            id: record.id,
            name: record.name.clone(),
            version: record.version,
            queue: record.queue.clone(),
            priority: record.priority,
            status: record.status,
            run: record.run,
            attempt: record.attempt,
            max_attempts: record.max_attempts,
            crashes: record.crashes,
            timeout: record.timeout,
            fence: record.fence,
            due: record.due,
            created_at: record.created_at,
            started_at: record.started_at,
            finished_at: record.finished_at,
            lease_until: record.lease_until,
            worker: record.worker,
            cancel_requested: record.cancel_requested,
            still_running: record.still_running,
            progress: record.progress.clone(),
            has_result: record.result.is_some() && record.result_until.is_none_or(|it| it > now),
            result_until: record.result_until,
            error: record.last_error().map(Self::short),
            label: record.label.clone(),
        }
    }

    /// An error as a summary shows it.
    pub(crate) fn short(error: &AttemptError) -> Box<AttemptError> {
        let AttemptError { run, attempt, at, kind, ref message } = *error;
        // A message may begin with a line break, as those of assertions of several lines do.
        let line = message.lines().find(|it| !it.trim().is_empty()).unwrap_or_default();
        // A byte more than is shown, so that it is seen that it was cut; the rest need not be copied.
        let mut end = line.len().min(Self::MAX_ERROR + 1);
        while !line.is_char_boundary(end) {
            end += 1;
        }
        let message = truncated(line[..end].to_owned(), Self::MAX_ERROR);
        Box::new(AttemptError { run, attempt, at, kind, message })
    }

    /// Its tags.
    #[must_use]
    pub fn tags(&self) -> &[Name] {
        self.label.as_ref().map_or(&[], |it| &it.tags)
    }

    /// Where it came from.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.label.as_ref().map(|it| &it.origin)
    }

    /// How long its last attempt took, once it is over.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        Some(self.finished_at?.since(self.started_at?))
    }

    /// What keeps it from being ready, in words for people; `None` if nothing does, or it is over.
    #[must_use]
    pub fn waits_for(&self) -> Option<String> {
        let key = self.label.as_ref().and_then(|it| it.concurrency_key.as_deref());
        waits_for(self.status, self.due, key, (&self.name, self.version))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panics")]

    use std::sync::Arc;

    use serde_json::value::RawValue;

    use super::*;
    use crate::domain::FailureKind;

    fn record(message: &str) -> TaskRecord {
        let params: Arc<RawValue> = RawValue::from_string("{}".to_owned()).unwrap().into();
        let id = TaskId::from_parts(Timestamp::default(), 0, 1);
        let mut record = TaskRecord::new(id, Name::new("a"), Name::new("b"), params, Timestamp::default());
        record.push_error(AttemptError::new(FailureKind::Error, message.to_owned()));
        record
    }

    #[test]
    fn of_the_newest_error_the_first_line_is_shown_and_not_too_much_of_it() {
        let shown = |message: &str| TaskSummary::of(&record(message), Timestamp::default()).error.unwrap().message;
        assert_eq!(shown("broken\nat line 5"), "broken");
        assert_eq!(shown("\nbroken\nat line 5"), "broken");
        assert_eq!(shown("\r\n \t\n\n  broken"), "  broken");
        assert_eq!(shown(""), "");
        assert_eq!(shown("\n \n"), "");
        let fits = "x".repeat(TaskSummary::MAX_ERROR);
        assert_eq!(shown(&fits), fits);
        for unit in ["x", "é", "€", "😀"] {
            let long = shown(&unit.repeat(2_000));
            assert!(long.len() <= TaskSummary::MAX_ERROR && long.len() > TaskSummary::MAX_ERROR - 8, "{}", long.len());
            assert!(long.starts_with(unit) && long.ends_with('…'));
        }
    }

    #[test]
    fn a_result_that_has_expired_is_none() {
        let mut record = record("");
        let at = Timestamp::from_micros;
        assert!(!TaskSummary::of(&record, at(5)).has_result);
        record.result = Some(record.params.clone());
        assert!(TaskSummary::of(&record, at(5)).has_result);
        record.result_until = Some(at(6));
        assert!(TaskSummary::of(&record, at(5)).has_result);
        assert!(!TaskSummary::of(&record, at(6)).has_result);
    }
}
