use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::domain::TaskId;

/// Who tells of a task next. Commits have an order, but the calls that made them run side by side: without turns a claim could be
/// told before the submission that it follows.
#[derive(Debug, Default)]
pub(super) struct Turns {
    lines: Mutex<HashMap<TaskId, Line>>,
    moved: Notify,
    last: AtomicU64,
}

/// Who stands in line for a task. Most are alone.
#[derive(Debug)]
struct Line {
    first: u64,
    behind: VecDeque<u64>,
}

impl Line {
    /// Leaves it; whether nobody is left.
    fn leave(&mut self, number: u64) -> bool {
        if self.first != number {
            self.behind.retain(|it| *it != number);
            return false;
        }
        match self.behind.pop_front() {
            Some(next) => {
                self.first = next;
                false
            }
            None => true,
        }
    }
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
                match lines.entry(*id) {
                    Entry::Vacant(line) => {
                        line.insert(Line { first: number, behind: VecDeque::new() });
                    }
                    Entry::Occupied(mut line) => line.get_mut().behind.push_back(number),
                }
            }
        }
        Turn { turns: self, number, ids }
    }
}

impl Turn<'_> {
    /// Waits until those before are done.
    pub(super) async fn come(&self) {
        if self.is_first() {
            return;
        }
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
        self.ids.iter().all(|id| lines.get(id).is_none_or(|it| it.first == self.number))
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
            if let Entry::Occupied(mut line) = lines.entry(*id) {
                if line.get_mut().leave(self.number) {
                    line.remove();
                } else {
                    someone_waits = true;
                }
            }
        }
        drop(lines);
        if someone_waits {
            self.turns.moved.notify_waiters();
        }
    }
}
