//! Which tasks are asked for, and how an answer is cut into pages.

use serde::{Deserialize, Serialize};

use super::{Label, Name, TaskId, TaskRecord, TaskStatus, TaskSummary, Timestamp};

/// Which tasks are meant. Every part narrows the choice; the default means all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Filter {
    /// Only these; empty means any.
    pub ids: Vec<TaskId>,
    /// In one of these statuses; empty means any.
    pub statuses: Vec<TaskStatus>,
    /// Of this definition.
    pub name: Option<Name>,
    /// Of a definition whose name starts so.
    pub name_prefix: Option<String>,
    /// In this queue.
    pub queue: Option<Name>,
    /// With this tag.
    pub tag: Option<Name>,
    /// Submitted at this time or later.
    pub since: Option<Timestamp>,
    /// Submitted by this owner.
    pub owner: Option<String>,
}

impl Filter {
    /// All tasks.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Narrowed to these tasks.
    #[must_use]
    pub fn ids(mut self, ids: impl IntoIterator<Item = TaskId>) -> Self {
        self.ids.extend(ids);
        self
    }

    /// Narrowed to a status; several calls mean any of them.
    #[must_use]
    pub fn status(mut self, status: TaskStatus) -> Self {
        self.statuses.push(status);
        self
    }

    /// Narrowed to the statuses of finished tasks.
    #[must_use]
    pub fn finished(mut self) -> Self {
        self.statuses.extend(TaskStatus::ALL.into_iter().filter(|it| it.is_terminal()));
        self
    }

    /// Narrowed to a definition.
    #[must_use]
    pub fn name(mut self, name: impl Into<Name>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Narrowed to definitions whose name starts so.
    #[must_use]
    pub fn name_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.name_prefix = Some(prefix.into());
        self
    }

    /// Narrowed to a queue.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<Name>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// Narrowed to a tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<Name>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Narrowed to what was submitted at `at` or later.
    #[must_use]
    pub const fn since(mut self, at: Timestamp) -> Self {
        self.since = Some(at);
        self
    }

    /// Narrowed to an owner.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Whether `record` is meant.
    #[must_use]
    pub fn matches(&self, record: &TaskRecord) -> bool {
        let TaskRecord { id, status, name, queue, created_at, .. } = record;
        self.means(*id, *status, (name, queue), *created_at) && self.means_label(record.label.as_deref())
    }

    /// Whether the task that `summary` is of is meant.
    #[must_use]
    pub fn matches_summary(&self, summary: &TaskSummary) -> bool {
        let TaskSummary { id, status, name, queue, created_at, .. } = summary;
        self.means(*id, *status, (name, queue), *created_at) && self.means_label(summary.label.as_deref())
    }

    pub(crate) fn means(
        &self,
        id: TaskId,
        status: TaskStatus,
        (name, queue): (&Name, &Name),
        created_at: Timestamp,
    ) -> bool {
        (self.ids.is_empty() || self.ids.contains(&id))
            && (self.statuses.is_empty() || self.statuses.contains(&status))
            && self.name.as_ref().is_none_or(|it| it == name)
            && self.name_prefix.as_ref().is_none_or(|it| name.starts_with(it.as_str()))
            && self.queue.as_ref().is_none_or(|it| it == queue)
            && self.since.is_none_or(|it| created_at >= it)
    }

    /// Whether a task with this label, if it has any, may be meant.
    pub(crate) fn means_label(&self, label: Option<&Label>) -> bool {
        self.tag.as_ref().is_none_or(|it| label.is_some_and(|label| label.tags.contains(it)))
            && self.owner.as_ref().is_none_or(|it| label.and_then(|label| label.origin.owner.as_ref()) == Some(it))
    }
}

/// Where the next page begins: after this task, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub TaskId);

/// One page of an answer, newest first.
///
/// One that is not the last may be short, or even empty: where a search was cut off, because few of very many are meant. Then
/// `next` goes on from there.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins; `None` on the last, and on no other.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// A page.
    #[must_use]
    pub const fn new(items: Vec<T>, next: Option<Cursor>) -> Self {
        Self { items, next }
    }
}
