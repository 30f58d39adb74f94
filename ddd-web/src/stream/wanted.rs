//! Which transitions a stream is asked for.

use ddd_core::{Name, TaskStatus, Transition};

use crate::{
    problem::Problem,
    request::{Query, values},
};

/// Which transitions a stream is asked for; every part narrows the choice.
#[derive(Debug)]
pub(super) struct Wanted {
    name: Option<Name>,
    queue: Option<Name>,
    statuses: Vec<TaskStatus>,
}

impl Wanted {
    /// What the query of a request asks for.
    pub(super) fn of(mut query: Query) -> Result<Self, Problem> {
        let wanted = Self {
            name: query.read("task_name", values::plain_name),
            queue: query.read("queue", values::plain_name),
            statuses: query.read("status", |it| values::statuses(&it)).unwrap_or_default(),
        };
        query.finish()?;
        Ok(wanted)
    }

    pub(super) fn includes(&self, transition: &Transition) -> bool {
        self.name.as_ref().is_none_or(|it| *it == transition.name)
            && self.queue.as_ref().is_none_or(|it| *it == transition.queue)
            && (self.statuses.is_empty() || self.statuses.contains(&transition.to))
    }
}
