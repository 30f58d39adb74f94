//! Transitions in a row, in little memory.

use std::{collections::VecDeque, sync::Arc};

use super::{Fence, Name, Progress, TaskId, TaskStatus, Timestamp, Transition};

/// Transitions in their order, as they are handed over and kept until they are looked at.
///
/// What those in a row have in common, the names of their definition and queue, is kept once for all of them: a busy store tells
/// of millions in a second, and every byte of them goes from the memory of one processor to that of another.
#[derive(Clone, Debug, Default)]
pub struct TransitionBatch {
    rows: VecDeque<Row>,
    changes: VecDeque<Change>,
}

/// What some changes in a row have in common, and how many there are of them, at least one.
#[derive(Clone, Debug)]
struct Row {
    name: Name,
    queue: Name,
    count: usize,
}

impl Row {
    fn is_of(&self, name: &Name, queue: &Name) -> bool {
        self.name == *name && self.queue == *queue
    }
}

/// What a transition has for itself.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) id: TaskId,
    pub(crate) run: u32,
    pub(crate) attempt: u32,
    pub(crate) fence: Fence,
    pub(crate) from: Option<TaskStatus>,
    pub(crate) to: TaskStatus,
    pub(crate) at: Timestamp,
    pub(crate) progress: Option<Arc<Progress>>,
}

impl Change {
    fn named(self, name: Name, queue: Name) -> Transition {
        let Self { id, run, attempt, fence, from, to, at, progress } = self;
        Transition { id, name, queue, run, attempt, fence, from, to, at, progress }
    }
}

impl TransitionBatch {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Adds one at the end.
    pub fn push(&mut self, transition: Transition) {
        let Transition { id, name, queue, run, attempt, fence, from, to, at, progress } = transition;
        self.push_change(&name, &queue, Change { id, run, attempt, fence, from, to, at, progress });
    }

    /// The same, of a task with these names.
    #[inline(always)]
    pub(crate) fn push_change(&mut self, name: &Name, queue: &Name, change: Change) {
        match self.rows.back_mut().filter(|it| it.is_of(name, queue)) {
            Some(row) => row.count += 1,
            None => self.rows.push_back(Row { name: name.clone(), queue: queue.clone(), count: 1 }),
        }
        self.changes.push_back(change);
    }

    /// Takes the first out.
    pub fn pop(&mut self) -> Option<Transition> {
        let row = self.rows.front_mut()?;
        row.count -= 1;
        let (name, queue) = (row.name.clone(), row.queue.clone());
        if row.count == 0 {
            self.rows.pop_front();
        }
        Some(self.changes.pop_front()?.named(name, queue))
    }

    /// Adds all of `later` at the end, and leaves it empty.
    pub fn append(&mut self, later: &mut Self) {
        if let (Some(last), Some(first)) = (self.rows.back_mut(), later.rows.front())
            && last.is_of(&first.name, &first.queue)
        {
            last.count += first.count;
            later.rows.pop_front();
        }
        self.rows.append(&mut later.rows);
        self.changes.append(&mut later.changes);
    }

    /// Drops the first so many.
    pub fn drop_first(&mut self, count: usize) {
        let mut left = count.min(self.len());
        self.changes.drain(..left);
        while let Some(row) = self.rows.front_mut().filter(|_| left > 0) {
            let gone = row.count.min(left);
            row.count -= gone;
            left -= gone;
            if row.count == 0 {
                self.rows.pop_front();
            }
        }
    }

    /// Drops all.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.changes.clear();
    }

    /// Gives memory back over the room for so many.
    pub fn shrink_to(&mut self, count: usize) {
        self.rows.shrink_to(count);
        self.changes.shrink_to(count);
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = Transition> {
        let names = self.rows.iter().flat_map(|it| std::iter::repeat_n((&it.name, &it.queue), it.count));
        self.changes.iter().zip(names).map(|(it, (name, queue))| it.clone().named(name.clone(), queue.clone()))
    }
}

impl Extend<Transition> for TransitionBatch {
    fn extend<I: IntoIterator<Item = Transition>>(&mut self, transitions: I) {
        transitions.into_iter().for_each(|it| self.push(it));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(random: &mut fastrand::Rng, number: u64) -> Transition {
        let name = |it: bool| Name::new(if it { "one" } else { "other" });
        let has_progress = random.u32(0..8) == 0;
        Transition {
            id: TaskId::from_parts(Timestamp::from_micros(1_000_000), 0, number),
            name: name(random.u32(0..4) == 0),
            queue: name(random.bool()),
            run: 1,
            attempt: random.u32(0..3),
            fence: Fence::default(),
            from: random.bool().then_some(TaskStatus::Running),
            to: TaskStatus::Running,
            at: Timestamp::from_micros(1),
            progress: has_progress.then(|| Arc::new(Progress { fraction: 0.5, message: number.to_string() })),
        }
    }

    /// Whatever is done with it, it holds what a plain queue would.
    #[test]
    fn holds_what_a_queue_would() {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..200 {
            let (mut batch, mut model) = (TransitionBatch::default(), VecDeque::new());
            for step in 0..100 {
                match random.u32(0..8) {
                    0..=3 => {
                        let next = any(&mut random, step);
                        batch.push(next.clone());
                        model.push_back(next);
                    }
                    4 => {
                        let some = (0..random.u64(0..6)).map(|it| any(&mut random, it)).collect::<Vec<_>>();
                        let mut later = TransitionBatch::default();
                        later.extend(some.iter().cloned());
                        batch.append(&mut later);
                        assert!(later.is_empty() && later.pop().is_none(), "seed {seed}");
                        model.extend(some);
                    }
                    5 => {
                        let count = random.usize(0..5);
                        batch.drop_first(count);
                        model.drain(..count.min(model.len()));
                    }
                    _ => assert_eq!(batch.pop(), model.pop_front(), "seed {seed}"),
                }
                assert_eq!(batch.len(), model.len(), "seed {seed}");
                assert!(batch.iter().eq(model.iter().cloned()), "seed {seed}");
            }
        }
    }

    /// It is there to be small.
    #[test]
    fn a_change_takes_less_than_a_cache_line() {
        assert!(size_of::<Change>() <= 56, "{}", size_of::<Change>());
    }
}
