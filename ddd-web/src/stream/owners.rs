//! Whose tasks those of a stream are.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use ddd_core::{App, Filter, StoreError, TaskId, TaskSummary};
use parking_lot::Mutex;

/// Whose tasks are whose, as far as streams asked. An owner never changes, so what is known stays true.
#[derive(Debug, Default)]
pub(super) struct Owners(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    owners: HashMap<TaskId, Option<Arc<str>>>,
    oldest: VecDeque<TaskId>,
}

impl Owners {
    /// So many are remembered.
    const CAPACITY: usize = 16_384;

    /// Which of these tasks are `owner`'s, in order. One that is no longer on record is nobody's.
    pub(super) async fn are_of(&self, app: &App, owner: &str, ids: &[TaskId]) -> Result<Vec<bool>, StoreError> {
        let unknown: Vec<TaskId> = {
            let known = self.0.lock();
            ids.iter().filter(|it| !known.owners.contains_key(it)).copied().collect()
        };
        if !unknown.is_empty() {
            let count = unknown.len();
            let found = app.tasks().list(Filter::all().ids(unknown.iter().copied()), None, count).await?;
            let owner_of = |summary: &TaskSummary| summary.origin()?.owner.as_deref().map(Arc::from);
            let found: HashMap<_, _> = found.items.iter().map(|it| (it.id, owner_of(it))).collect();
            let mut known = self.0.lock();
            for id in unknown {
                known.learn(id, found.get(&id).cloned().flatten());
            }
        }
        let known = self.0.lock();
        let is_of = |id| known.owners.get(id).is_some_and(|it| it.as_deref() == Some(owner));
        Ok(ids.iter().map(is_of).collect())
    }
}

impl Known {
    fn learn(&mut self, id: TaskId, owner: Option<Arc<str>>) {
        if self.owners.insert(id, owner).is_some() {
            return;
        }
        self.oldest.push_back(id);
        if self.oldest.len() > Owners::CAPACITY
            && let Some(oldest) = self.oldest.pop_front()
        {
            self.owners.remove(&oldest);
        }
    }
}
