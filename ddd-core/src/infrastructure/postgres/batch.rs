//! What goes together.

use std::collections::HashSet;

use crate::ports::NewTask;

/// A transaction of the store's own takes about so many locks for keys at most. The server has room for some thousands, for everybody: who
/// finds none is told that the server is out of memory.
pub(super) const LOCKS_AT_ONCE: usize = 256;
/// So many tasks are stored by one statement.
const AT_ONCE: usize = 2_000;
/// And so many bytes of parameters, or a single task that has more.
const BYTES_AT_ONCE: usize = 4 << 20;

/// Tasks that are submitted together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) tasks: Vec<NewTask>,
    /// For each the submission that it belongs to.
    pub(super) submissions: Vec<usize>,
    /// So many of them, the first ones, are plain, and their ids go out for the first time.
    pub(super) plain: usize,
    /// Whether all ids go out for the first time.
    pub(super) are_new: bool,
}

/// Whether nothing has to be asked before a task is stored, if its queue takes any number.
pub(super) fn is_plain(task: &NewTask) -> bool {
    let has_key = |it: &crate::domain::Label| it.unique_key.is_some() || it.concurrency_key.is_some();
    task.idempotency.is_none() && !task.label.as_deref().is_some_and(has_key)
}

/// Counts the tasks of a statement, until it is full.
#[derive(Debug, Default)]
pub(super) struct Load<'t> {
    tasks: usize,
    bytes: usize,
    /// The keys that are locked: many tasks may share one.
    concurrency_keys: HashSet<&'t str>,
    other_keys: usize,
}

impl<'t> Load<'t> {
    /// Whether these fit, too; the first ones always do.
    pub(super) fn takes(&mut self, tasks: impl IntoIterator<Item = &'t NewTask>) -> bool {
        let is_empty = self.tasks == 0;
        for task in tasks {
            self.tasks += 1;
            self.bytes += task.params.get().len();
            self.other_keys += usize::from(task.idempotency.is_some());
            if let Some(label) = &task.label {
                self.other_keys += usize::from(label.unique_key.is_some());
                self.concurrency_keys.extend(label.concurrency_key.as_deref());
            }
        }
        let keys = self.concurrency_keys.len() + self.other_keys;
        is_empty || (self.tasks <= AT_ONCE && self.bytes <= BYTES_AT_ONCE && keys <= LOCKS_AT_ONCE)
    }
}

/// The first of these tasks, as many as go into one statement.
pub(super) fn first_of(tasks: &[NewTask]) -> usize {
    let mut load = Load::default();
    tasks.iter().take_while(|it| load.takes([*it])).count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests fail by panics")]

    use serde_json::value::RawValue;

    use super::*;
    use crate::domain::{IdempotencyKey, Label, Name, TaskId, Timestamp};

    fn tasks(count: usize, bytes: usize) -> Vec<NewTask> {
        let params = RawValue::from_string(format!("\"{}\"", "x".repeat(bytes))).unwrap().into();
        let id = TaskId::from_parts(Timestamp::default(), 0, 0);
        vec![NewTask::new(id, Name::new("task"), Name::new("default"), params); count]
    }

    #[test]
    fn a_statement_takes_so_many_tasks_and_bytes_and_always_one() {
        assert_eq!(first_of(&tasks(3, 10)), 3);
        assert_eq!(first_of(&tasks(AT_ONCE + 1, 10)), AT_ONCE);
        assert_eq!(first_of(&tasks(20, BYTES_AT_ONCE / 4)), 3);
        assert_eq!(first_of(&tasks(2, 2 * BYTES_AT_ONCE)), 1);
        assert_eq!(first_of(&[]), 0);
    }

    #[test]
    fn a_statement_takes_so_many_keys_and_one_that_is_shared_counts_once() {
        let keyed = |change: fn(&mut Label, String)| {
            let mut tasks = tasks(AT_ONCE, 10);
            for (number, task) in tasks.iter_mut().enumerate() {
                let mut label = Label::default();
                change(&mut label, number.to_string());
                task.label = Some(Box::new(label));
            }
            tasks
        };
        assert_eq!(first_of(&keyed(|it, key| it.concurrency_key = Some(key))), LOCKS_AT_ONCE);
        assert_eq!(first_of(&keyed(|it, _| it.concurrency_key = Some("one".to_owned()))), AT_ONCE);
        let mut all = keyed(|it, key| (it.unique_key, it.concurrency_key) = (Some(key.clone()), Some(key)));
        assert_eq!(first_of(&all), LOCKS_AT_ONCE / 2);
        all.iter_mut().for_each(|it| it.idempotency = Some(Box::new(IdempotencyKey::new("said"))));
        assert_eq!(first_of(&all), LOCKS_AT_ONCE / 3);
    }
}
