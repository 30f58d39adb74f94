//! Which tasks a query means.

use ddd_core::{Filter, TaskStatus};

use crate::{
    access::{Caller, Permission},
    request::{Query, values},
};

/// The longest prefix that is looked for.
const LONGEST_PREFIX: usize = 200;
const LONGEST_OWNER: usize = 100;

/// Reads the parameters of a filter; what is wrong with them is noted in the query.
pub(super) fn read(query: &mut Query, caller: &Caller) -> Filter {
    let mut filter = Filter::all();
    let statuses = query.read("status", |it| values::statuses(&it));
    filter.statuses = statuses.unwrap_or_default();
    filter.name = query.read("task_name", values::plain_name);
    filter.queue = query.read("queue", values::plain_name);
    filter.tag = query.read("tag", values::plain_name);
    filter.since = query.read("since", |it| values::plain_timestamp(&it));
    filter.name_prefix = query.read("q", |it| {
        if it.len() <= LONGEST_PREFIX {
            Ok(it)
        } else {
            Err(format!("has more than {LONGEST_PREFIX} characters").into())
        }
    });
    filter.owner = query.read("owner", |it| {
        if !caller.may(Permission::Observe) && caller.owner() != Some(it.as_str()) {
            return Err(format!("takes the permission `{}`", Permission::Observe).into());
        }
        if it.len() <= LONGEST_OWNER { Ok(it) } else { Err(format!("has more than {LONGEST_OWNER} characters").into()) }
    });
    filter
}

/// Narrows a filter to finished tasks; statuses of others are noted in the query.
pub(super) fn finished(query: &mut Query, filter: Filter) -> Filter {
    if filter.statuses.is_empty() {
        return filter.finished();
    }
    if !filter.statuses.iter().all(|it| it.is_terminal()) {
        let finished: Vec<_> =
            TaskStatus::ALL.into_iter().filter(|it| it.is_terminal()).map(TaskStatus::as_str).collect();
        query.fault("status", format!("is not one of finished tasks: {}", finished.join(", ")));
    }
    filter
}
