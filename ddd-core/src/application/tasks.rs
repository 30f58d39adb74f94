//! What is asked about tasks, and done to them.

use std::{sync::Arc, time::Duration};

use serde::de::DeserializeOwned;

use super::{
    control::{self, Bulk, Operation},
    handle::TaskHandle,
    lists, records,
    schedules::Schedules,
    services::Services,
    transitions::Transitions,
};
use crate::{
    domain::{Cursor, Filter, Name, Page, Priority, Statistics, TaskId, TaskRecord, TaskStatus, TaskSummary},
    ports::{Control, Controlled, Due, Position, QueueState, StoreError, WorkerState},
};

/// All tasks of an application: look at them, and change them.
#[derive(Clone, Debug)]
pub struct Tasks {
    services: Arc<Services>,
}

impl Tasks {
    pub(crate) const fn new(services: Arc<Services>) -> Self {
        Self { services }
    }

    /// A task's record; `None` if it is unknown or no longer kept. Parameters marked `#[secret]` show as `***`, here and
    /// everywhere.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn get(&self, id: TaskId) -> Result<Option<TaskRecord>, StoreError> {
        records::get(&self.services, id).await
    }

    /// A handle on a task that was submitted elsewhere; `O` is what its function yields.
    #[must_use]
    pub fn handle<O: DeserializeOwned + Send + 'static>(&self, id: TaskId) -> TaskHandle<O> {
        TaskHandle::of_existing(self.services.clone(), id)
    }

    /// The records of these tasks, in order; `None` for those that are unknown or no longer kept. Each may hold some MiB.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn get_many(&self, ids: impl IntoIterator<Item = TaskId>) -> Result<Vec<Option<TaskRecord>>, StoreError> {
        records::get_many(&self.services, ids.into_iter().collect()).await
    }

    /// The tasks that a filter means, in short, newest first, at most `limit`, from a cursor on.
    ///
    /// It looks until the page is full or there are no more. Where few of millions are meant and no index leads to them, that can
    /// take seconds, in pieces between which others have their turn; [`Tasks::list_for`] ends earlier.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn list(
        &self,
        filter: Filter,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<TaskSummary>, StoreError> {
        lists::page(&self.services, filter, cursor, limit, None).await
    }

    /// The same, for somebody who waits: after `patience` the page is what was found until then, perhaps nothing, and its
    /// cursor is where to look further. At least one look is taken at the store, however short the patience.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn list_for(
        &self,
        patience: Duration,
        filter: Filter,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<TaskSummary>, StoreError> {
        lists::page(&self.services, filter, cursor, limit, Some(patience)).await
    }

    /// The finished tasks that a filter means, in short, newest first, at most `limit`, from a cursor on, as [`Tasks::list`].
    ///
    /// # Errors
    /// The store could not say.
    pub async fn history(
        &self,
        mut filter: Filter,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Result<Page<TaskSummary>, StoreError> {
        filter.statuses.retain(|it| it.is_terminal());
        let filter = if filter.statuses.is_empty() { filter.finished() } else { filter };
        self.list(filter, cursor, limit).await
    }

    /// Where a task is in its life, and how many pending tasks of its queue are handed out before it, counted up to `most`;
    /// `None` if it is unknown. Cheaper than its record.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn position(&self, id: TaskId, most: usize) -> Result<Option<Position>, StoreError> {
        let found = self.services.call(self.services.store.positions(vec![id], most)).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// Figures about all tasks.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn statistics(&self) -> Result<Statistics, StoreError> {
        self.services.call(self.services.store.statistics()).await
    }

    /// The transitions of all tasks from now on, in order.
    ///
    /// They are hints. Those of other processes are among them where the store's processes tell each other, as in PostgreSQL: a
    /// moment later, in an order of their own, and not before the others have heard that somebody subscribes. What is known
    /// to be missing is said ([`Lagged`](crate::Lagged)); for what has to be sure, look at the records.
    #[must_use]
    pub fn transitions(&self) -> Transitions {
        self.services.log.subscribe(self.services.store.clone())
    }

    /// Cancels a task: at once if it is queued; else its body is told, dropped at its next await, and the task ends as
    /// `cancelled`. The answer tells who won: [`Controlled::Refused`] names the status of a task that had ended.
    ///
    /// # Errors
    /// The store could not do it.
    pub async fn cancel(&self, id: TaskId, reason: impl Into<String>) -> Result<Controlled, StoreError> {
        self.one(Control::Cancel { ids: vec![id], reason: reason.into() }).await
    }

    /// Begins a new run of a finished task, with its attempts counted from 1 again.
    ///
    /// # Errors
    /// The store could not do it.
    pub async fn retry(&self, id: TaskId) -> Result<Controlled, StoreError> {
        self.one(Control::Retry { ids: vec![id] }).await
    }

    /// Gives a queued task another priority.
    ///
    /// # Errors
    /// The store could not do it.
    pub async fn reprioritise(&self, id: TaskId, priority: Priority) -> Result<Controlled, StoreError> {
        self.one(Control::Reprioritise { ids: vec![id], priority: Some(priority), due: None }).await
    }

    /// Gives a queued task another due time.
    ///
    /// # Errors
    /// The store could not do it.
    pub async fn reschedule(&self, id: TaskId, due: Due) -> Result<Controlled, StoreError> {
        self.one(Control::Reprioritise { ids: vec![id], priority: None, due: Some(due) }).await
    }

    /// Gives a queued task another priority, another due time, or both at once.
    ///
    /// # Errors
    /// The store could not do it.
    pub async fn change(
        &self,
        id: TaskId,
        priority: Option<Priority>,
        due: Option<Due>,
    ) -> Result<Controlled, StoreError> {
        self.one(Control::Reprioritise { ids: vec![id], priority, due }).await
    }

    /// Drops the record of a finished task.
    ///
    /// # Errors
    /// The store could not do it.
    pub async fn delete(&self, id: TaskId) -> Result<Controlled, StoreError> {
        self.one(Control::Delete { ids: vec![id] }).await
    }

    /// Does something with all tasks that a filter means.
    ///
    /// # Errors
    /// The store could not do it; some of it may be done.
    pub async fn bulk(&self, filter: Filter, operation: Operation) -> Result<Bulk, StoreError> {
        control::bulk(&self.services, filter, &operation).await
    }

    /// Drops the records of all finished tasks whose run ended at least `older_than` ago. Answers how many.
    ///
    /// # Errors
    /// The store could not do it; some of it may be done.
    pub async fn cleanup(&self, older_than: Duration) -> Result<u64, StoreError> {
        let before = self.services.clock.now().before(older_than);
        let mut cursor = None;
        let mut dropped = 0;
        loop {
            let page = self.history(Filter::all(), cursor, 500).await?;
            let old = page.items.iter().filter(|it| it.finished_at.is_some_and(|at| at <= before));
            let ids: Vec<_> = old.map(|it| it.id).collect();
            if !ids.is_empty() {
                let answers = control::apply(&self.services, Control::Delete { ids }).await?;
                dropped += answers.iter().filter(|it| matches!(it.1, Controlled::Applied(_))).count() as u64;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(dropped);
            }
        }
    }

    /// Hands out no more tasks of a queue. Those that run go on.
    ///
    /// # Errors
    /// The store could not do it.
    pub async fn pause(&self, queue: impl Into<Name>) -> Result<(), StoreError> {
        control::apply(&self.services, Control::Pause { queue: queue.into() }).await.map(drop)
    }

    /// Hands out the tasks of a queue again.
    ///
    /// # Errors
    /// The store could not do it.
    pub async fn resume(&self, queue: impl Into<Name>) -> Result<(), StoreError> {
        control::apply(&self.services, Control::Resume { queue: queue.into() }).await.map(drop)
    }

    /// The queues, with their settings and depths.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn queues(&self) -> Result<Vec<QueueState>, StoreError> {
        self.services.call(self.services.store.queues()).await
    }

    /// The workers that are alive, in all processes.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn workers(&self) -> Result<Vec<WorkerState>, StoreError> {
        self.services.call(self.services.store.workers()).await
    }

    /// The schedules.
    #[must_use]
    pub fn schedules(&self) -> Schedules {
        Schedules::new(self.services.clone())
    }

    /// Waits until no task is pending, running, blocked or waiting for a retry. Tasks that are delayed or parked are not
    /// waited for.
    ///
    /// # Errors
    /// The store could not say.
    pub async fn wait_idle(&self) -> Result<(), StoreError> {
        const WAITED_FOR: [TaskStatus; 4] =
            [TaskStatus::Pending, TaskStatus::Running, TaskStatus::Blocked, TaskStatus::Retrying];
        let mut transitions = self.transitions();
        loop {
            let queues = self.queues().await?;
            let busy = queues.iter().any(|queue| WAITED_FOR.iter().any(|it| queue.counts.get(*it) > 0));
            if !busy {
                return Ok(());
            }
            // Some task must change before the answer can; another process may change it unseen.
            let _ = tokio::time::timeout(Duration::from_millis(200), transitions.next()).await;
            while matches!(transitions.try_next(), Ok(Some(_)) | Err(_)) {}
        }
    }

    async fn one(&self, control: Control) -> Result<Controlled, StoreError> {
        let answers = control::apply(&self.services, control).await?;
        Ok(answers.into_iter().next().map_or(Controlled::Unknown, |it| it.1))
    }
}
