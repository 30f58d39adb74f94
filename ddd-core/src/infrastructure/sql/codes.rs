//! Numbers that stand for words in columns. They are kept: none may ever get another meaning.

use crate::domain::TaskStatus;

/// Finished tasks whose bodies still run, among the figures about tasks.
pub(crate) const LINGERING: i64 = 11;
/// Tasks that were submitted.
pub(crate) const SUBMITTED: i64 = 20;
/// Attempts that began.
pub(crate) const STARTED: i64 = 21;
/// Attempts that failed and were followed by another.
pub(crate) const RETRIED: i64 = 22;
/// Runs that ended, this plus the code of the status.
pub(crate) const FINISHED: i64 = 30;

const CODES: [TaskStatus; 10] = [
    TaskStatus::Pending,
    TaskStatus::Delayed,
    TaskStatus::Retrying,
    TaskStatus::Blocked,
    TaskStatus::Parked,
    TaskStatus::Running,
    TaskStatus::Success,
    TaskStatus::Failed,
    TaskStatus::Cancelled,
    TaskStatus::Timeout,
];

/// The number that stands for `status`.
pub(crate) const fn status_code(status: TaskStatus) -> i64 {
    match status {
        TaskStatus::Pending => 0,
        TaskStatus::Delayed => 1,
        TaskStatus::Retrying => 2,
        TaskStatus::Blocked => 3,
        TaskStatus::Parked => 4,
        TaskStatus::Running => 5,
        TaskStatus::Success => 6,
        TaskStatus::Failed => 7,
        TaskStatus::Cancelled => 8,
        TaskStatus::Timeout => 9,
    }
}

/// The status that `code` stands for.
pub(crate) fn status_of(code: i64) -> Option<TaskStatus> {
    CODES.get(usize::try_from(code).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_code_of_its_own() {
        for status in TaskStatus::ALL {
            assert_eq!(status_of(status_code(status)), Some(status));
        }
        assert_eq!((status_of(-1), status_of(10)), (None, None));
    }
}
