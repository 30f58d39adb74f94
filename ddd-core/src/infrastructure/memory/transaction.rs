use std::sync::Arc;

use parking_lot::Mutex;

use super::{entry::unique, shared::Shared, state::State};
use crate::{
    domain::Timestamp,
    ports::{BoxFuture, Enlist, EnlistNow, Enqueued, NewTask, StoreError, StoreErrorKind, StorePlace},
};

/// A transaction of a [`MemoryStore`](super::MemoryStore): tasks enlisted in it exist if and only if it commits. Dropped
/// without [`MemoryTransaction::commit`], it is rolled back.
///
/// Nothing is reserved meanwhile: if a unique key is taken or a queue filled by others after a task was enlisted, the
/// commit fails and nothing of it is stored.
#[derive(Debug)]
#[must_use = "a transaction that is dropped is rolled back"]
pub struct MemoryTransaction {
    shared: Arc<Shared>,
    enlisted: Mutex<Vec<NewTask>>,
}

impl MemoryTransaction {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, enlisted: Mutex::default() }
    }

    /// Stores everything that was enlisted, at once.
    ///
    /// # Errors
    /// Something that was enlisted cannot be stored any more; nothing was stored. Trying the whole transaction again can
    /// help.
    pub fn commit(self) -> Result<(), StoreError> {
        let tasks = self.enlisted.into_inner();
        self.shared.change(|state, now, fx| {
            check(state, &tasks, now)?;
            for task in tasks {
                state.enqueue(task, now, fx);
            }
            Ok(())
        })
    }

    fn foresee(&self, tasks: Vec<NewTask>) -> Vec<Enqueued> {
        let mut enlisted = self.enlisted.lock();
        self.shared.change(|state, now, _| {
            let mut answers = Vec::with_capacity(tasks.len());
            for task in tasks {
                let answer = foresee(state, &enlisted, &task, now);
                if let Enqueued::Created(_) = answer {
                    enlisted.push(task);
                }
                answers.push(answer);
            }
            answers
        })
    }
}

/// Whether all of `tasks` can be stored together.
fn check(state: &State, tasks: &[NewTask], now: Timestamp) -> Result<(), StoreError> {
    for (index, task) in tasks.iter().enumerate() {
        let reason = match foresee(state, &tasks[..index], task, now) {
            Enqueued::Created(_) | Enqueued::AlreadyCreated => continue,
            Enqueued::Replayed { .. } | Enqueued::KeyReused => {
                format!("the idempotency key of task {} was taken meanwhile", task.id)
            }
            Enqueued::Duplicate(id) => format!("the unique key of task {} was taken by {id} meanwhile", task.id),
            Enqueued::Full { .. } => format!("queue `{}` was filled meanwhile", task.queue),
        };
        return Err(StoreError::new(StoreErrorKind::Unavailable, reason));
    }
    Ok(())
}

/// What would become of `task` after those before it.
fn foresee(state: &State, before: &[NewTask], task: &NewTask, now: Timestamp) -> Enqueued {
    if before.iter().any(|it| it.id == task.id) {
        return Enqueued::AlreadyCreated;
    }
    if let Some(answer) = state.foresee_again(before, task, now) {
        return answer;
    }
    let in_same_queue = before.iter().filter(|it| it.queue == task.queue).count();
    match state.foresee(task, in_same_queue, now) {
        answer @ Enqueued::Created(_) => {
            let key = unique(task).map(|(key, _)| key);
            let twin = before.iter().find(|it| key.is_some() && unique(it).map(|(key, _)| key) == key);
            twin.map_or(answer, |it| Enqueued::Duplicate(it.id))
        }
        answer => answer,
    }
}

impl Enlist for MemoryTransaction {
    fn enlist(&mut self, tasks: Vec<NewTask>) -> BoxFuture<'_, Result<Vec<Enqueued>, StoreError>> {
        Box::pin(std::future::ready(Ok(self.foresee(tasks))))
    }

    fn enlist_in(
        &mut self,
        place: &StorePlace,
        tasks: Vec<NewTask>,
    ) -> BoxFuture<'_, Result<Vec<Enqueued>, StoreError>> {
        Box::pin(std::future::ready(EnlistNow::enlist_in(self, place, tasks)))
    }
}

impl EnlistNow for MemoryTransaction {
    fn enlist(&self, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError> {
        Ok(self.foresee(tasks))
    }

    fn enlist_in(&self, place: &StorePlace, tasks: Vec<NewTask>) -> Result<Vec<Enqueued>, StoreError> {
        place.check(&place_of(&self.shared))?;
        Ok(self.foresee(tasks))
    }
}

/// A store in memory has no name but where it is.
pub(super) fn place_of(shared: &Arc<Shared>) -> StorePlace {
    StorePlace::new("memory", format!("{:p}", Arc::as_ptr(shared)))
}
