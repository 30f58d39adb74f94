use super::{Name, TaskStatus, Timestamp};

/// What keeps a task from being ready, in words for people; `None` if nothing does, or it is over.
pub(super) fn waits_for(
    status: TaskStatus,
    due: Timestamp,
    key: Option<&str>,
    (name, version): (&Name, u32),
) -> Option<String> {
    match status {
        TaskStatus::Delayed => Some(format!("its due time, {due}")),
        TaskStatus::Retrying => Some(format!("the due time of its next attempt, {due}")),
        TaskStatus::Blocked => Some(format!("a permit of its concurrency key `{}`", key.unwrap_or_default())),
        TaskStatus::Parked => {
            Some(format!("a worker that knows `{name}` in version {version} or higher; none is alive"))
        }
        _ => None,
    }
}
