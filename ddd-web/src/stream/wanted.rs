//! Which transitions a stream is asked for.

use axum::{extract::Query, http::Uri};
use ddd_core::{Name, TaskStatus, Transition};

use crate::{
    problem::{Fault, Problem, codes},
    request::values,
};

/// Which transitions a stream is asked for; every part narrows the choice.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    name: Option<Name>,
    queue: Option<Name>,
    statuses: Vec<TaskStatus>,
}

impl Wanted {
    /// What the query of a request asks for.
    pub(super) fn of_query(uri: &Uri) -> Result<Self, Problem> {
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
            return Err(Problem::of(&codes::INVALID_QUERY));
        };
        let mut wanted = Self::default();
        let mut faults = Vec::new();
        for (parameter, value) in pairs {
            let read = match parameter.as_str() {
                "task_name" => values::plain_name(value).map(|it| wanted.name = Some(it)),
                "queue" => values::plain_name(value).map(|it| wanted.queue = Some(it)),
                "status" => values::statuses(&value).map(|it| wanted.statuses.extend(it)),
                _ => Err("is not known; there are task_name, queue and status".into()),
            };
            faults.extend(read.err().map(|detail| Fault::in_query(parameter, detail)));
        }
        if faults.is_empty() { Ok(wanted) } else { Err(Problem::of(&codes::INVALID_QUERY).faults(faults)) }
    }

    pub(super) fn includes(&self, transition: &Transition) -> bool {
        self.name.as_ref().is_none_or(|it| *it == transition.name)
            && self.queue.as_ref().is_none_or(|it| *it == transition.queue)
            && (self.statuses.is_empty() || self.statuses.contains(&transition.to))
    }
}
