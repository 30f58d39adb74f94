use std::{
    collections::{HashMap, VecDeque},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::domain::TaskId;

/// Who tells of a task next. Commits have an order, but the calls that made them run side by side: without turns a claim could be
/// told before the submission that it follows.
#[derive(Debug, Default)]
pub(super) struct Turns {
    lines: Mutex<HashMap<TaskId, VecDeque<u64>>>,
    moved: Notify,
    last: AtomicU64,
}

/// A place in the lines of some tasks, left when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'t> {
    turns: &'t Turns,
    number: u64,
    ids: Vec<TaskId>,
}

impl Turns {
    /// Stands in line for each of these tasks. Whoever holds their rows does it before the commit that lets the next one have them.
    pub(super) fn enter(&self, ids: impl Iterator<Item = TaskId>) -> Turn<'_> {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let ids = ids.collect::<Vec<_>>();
        if !ids.is_empty() {
            let mut lines = self.lines.lock();
            for id in &ids {
                lines.entry(*id).or_default().push_back(number);
            }
        }
        Turn { turns: self, number, ids }
    }
}

impl Turn<'_> {
    /// Waits until those before are done.
    pub(super) async fn come(&self) {
        loop {
            let moved = self.turns.moved.notified();
            tokio::pin!(moved);
            // From here on, no move is missed.
            moved.as_mut().enable();
            if self.is_first() {
                return;
            }
            moved.await;
        }
    }

    fn is_first(&self) -> bool {
        if self.ids.is_empty() {
            return true;
        }
        let lines = self.turns.lines.lock();
        self.ids.iter().all(|id| lines.get(id).and_then(VecDeque::front).is_none_or(|it| *it == self.number))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.ids.is_empty() {
            return;
        }
        let mut someone_waits = false;
        let mut lines = self.turns.lines.lock();
        for id in &self.ids {
            if let Some(line) = lines.get_mut(id) {
                line.retain(|it| *it != self.number);
                someone_waits |= !line.is_empty();
                if line.is_empty() {
                    lines.remove(id);
                }
            }
        }
        drop(lines);
        if someone_waits {
            self.turns.moved.notify_waiters();
        }
    }
}
