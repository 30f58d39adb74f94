use std::{collections::VecDeque, time::Duration};

use crate::domain::Timestamp;

/// A finished run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Past {
    pub(super) key: u32,
    pub(super) kind: u32,
    pub(super) at: Timestamp,
    /// How long its last attempt ran; `None` if it never began.
    pub(super) ran: Option<Duration>,
    /// How long it waited for its last attempt.
    pub(super) waited: Option<Duration>,
}

/// Finished runs whose records are kept, the oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    runs: VecDeque<Option<Past>>,
    /// The number of the first in `runs`; numbers wrap around.
    first: u32,
    len: usize,
}

impl History {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a run; its number finds it again.
    #[allow(clippy::cast_possible_truncation, reason = "numbers wrap around, and memory ends before they meet")]
    pub(super) fn add(&mut self, past: Past) -> u32 {
        let number = self.first.wrapping_add(self.runs.len() as u32);
        self.runs.push_back(Some(past));
        self.len += 1;
        number
    }

    /// Takes out a run whose record is no longer finished, or gone.
    pub(super) fn remove(&mut self, number: u32) {
        if let Some(slot) = self.runs.get_mut(number.wrapping_sub(self.first) as usize)
            && slot.take().is_some()
        {
            self.len -= 1;
        }
        while let Some(None) = self.runs.front() {
            self.runs.pop_front();
            self.first = self.first.wrapping_add(1);
        }
    }

    /// The keys of the oldest so many.
    pub(super) fn oldest_keys(&self, count: usize) -> impl Iterator<Item = u32> {
        self.runs.iter().take(count).flatten().map(|it| it.key)
    }

    pub(super) fn oldest(&self) -> Option<Past> {
        self.runs.front().copied().flatten()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Past> {
        self.runs.iter().flatten()
    }
}
