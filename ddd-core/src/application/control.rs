//! Changes to tasks on a user's behalf.

use super::services::Services;
use crate::{
    domain::{Cursor, Filter, Priority, TaskId},
    ports::{Control, Controlled, Due, StoreError},
};

/// What is to be done with tasks.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// Cancel them.
    Cancel,
    /// Begin a new run of the finished ones.
    Retry,
    /// Drop the records of the finished ones.
    Delete,
    /// Give the queued ones this priority.
    Reprioritise(Priority),
    /// Make the queued ones due at once.
    RunNow,
}

impl Operation {
    fn on(&self, ids: Vec<TaskId>) -> Control {
        match self {
            Self::Cancel => Control::Cancel { ids, reason: "cancelled with others".to_owned() },
            Self::Retry => Control::Retry { ids },
            Self::Delete => Control::Delete { ids },
            Self::Reprioritise(priority) => Control::Reprioritise { ids, priority: Some(*priority), due: None },
            Self::RunNow => Control::Reprioritise { ids, priority: None, due: Some(Due::Now) },
        }
    }
}

/// What became of an operation on many tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Bulk {
    /// How many it was done to.
    pub applied: u64,
    /// How many are running and were told to end.
    pub requested: u64,
    /// How many are in a status that does not allow it.
    pub refused: u64,
}

/// Tells the store. One answer for each id of the command, in order.
pub(crate) async fn apply(services: &Services, control: Control) -> Result<Vec<(TaskId, Controlled)>, StoreError> {
    let ids = match &control {
        Control::Cancel { ids, .. }
        | Control::Retry { ids }
        | Control::Reprioritise { ids, .. }
        | Control::Delete { ids } => ids.clone(),
        Control::Pause { .. } | Control::Resume { .. } => Vec::new(),
    };
    let answers = services.call(services.store.control(control)).await?;
    Ok(ids.into_iter().zip(answers).collect())
}

/// Does something with all tasks that a filter means, page by page, each task once.
pub(crate) async fn bulk(services: &Services, filter: Filter, operation: &Operation) -> Result<Bulk, StoreError> {
    /// A store may lock the keys of each task, two at most, and has room for so many locks.
    const PAGE: usize = 128;
    let mut done = Bulk::default();
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = services.call(services.store.list(filter.clone(), cursor, PAGE)).await?;
        let ids: Vec<TaskId> = page.items.iter().map(|it| it.id).collect();
        if !ids.is_empty() {
            for (_, answer) in apply(services, operation.on(ids)).await? {
                match answer {
                    Controlled::Applied(_) => done.applied += 1,
                    Controlled::Requested { .. } => done.requested += 1,
                    Controlled::Refused(_) => done.refused += 1,
                    Controlled::Unknown => {}
                }
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok(done);
        }
        tokio::task::yield_now().await;
    }
}
