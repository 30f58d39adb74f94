use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
};

use crate::domain::TaskId;

/// Stands in a row for: this id is gone.
const GONE: u32 = u32::MAX;
/// A row with fewer gone ids than this is not worth the work.
const COMPACT_FROM: usize = 64;
/// The row keeps the room for so many ids when it runs empty.
const KEPT_CAPACITY: usize = 4_096;

/// Which entry each id names, in the order of ids.
///
/// Nearly every id that comes is greater than all before, so a row that only grows at its end is in order by itself: no tree
/// has to be walked to add or remove one, and most are looked for beside the last one that was.
#[derive(Debug, Default)]
pub(super) struct Index {
    row: VecDeque<(TaskId, u32)>,
    /// The number of the first in the row; numbers wrap around.
    first: u32,
    strays: BTreeMap<TaskId, u32>,
    gone: usize,
    /// Where the last id that was found in the row stood.
    last_found: usize,
    /// The greatest id that ever came.
    newest: Option<TaskId>,
}

impl Index {
    /// Whether `id` is greater than all that ever came.
    pub(super) fn is_new(&self, id: TaskId) -> bool {
        self.newest.is_none_or(|it| id > it)
    }

    /// Adds an id. Its number finds it again where it is removed.
    #[allow(clippy::cast_possible_truncation, reason = "numbers wrap around, and memory ends before they meet")]
    pub(super) fn insert(&mut self, id: TaskId, key: u32) -> u32 {
        if self.is_new(id) {
            self.newest = Some(id);
            self.row.push_back((id, key));
        } else {
            self.strays.insert(id, key);
        }
        self.first.wrapping_add(self.row.len() as u32).wrapping_sub(1)
    }

    pub(super) fn find(&self, id: TaskId) -> Option<u32> {
        if self.is_new(id) {
            return None;
        }
        match self.place(id) {
            Some(place) => self.row.get(place).map(|it| it.1),
            None => self.strays.get(&id).copied(),
        }
    }

    /// The same, for one of many that are looked for in about the order of their ids.
    pub(super) fn find_next(&mut self, id: TaskId) -> Option<u32> {
        for place in self.last_found..self.last_found + 2 {
            if let Some((it, key)) = self.row.get(place)
                && *it == id
                && *key != GONE
            {
                self.last_found = place;
                return Some(*key);
            }
        }
        self.last_found = self.place(id).unwrap_or(self.last_found);
        self.find(id)
    }

    /// Removes the id of this number. That of a stray is any.
    pub(super) fn remove(&mut self, id: TaskId, number: u32) {
        let place = number.wrapping_sub(self.first) as usize;
        match self.row.get_mut(place).filter(|it| it.0 == id && it.1 != GONE) {
            Some((_, key)) => {
                *key = GONE;
                self.gone += 1;
                self.shorten();
            }
            None => {
                self.strays.remove(&id);
            }
        }
    }

    /// Whether most of the row is gone. Then it is to be made [`dense`](Self::make_dense) again.
    pub(super) fn is_sparse(&self) -> bool {
        self.gone > COMPACT_FROM && self.gone > self.row.len() / 2
    }

    /// Takes out what is gone; answers with the entries in the row, which get the numbers from the given one up.
    pub(super) fn make_dense(&mut self) -> (u32, impl Iterator<Item = u32>) {
        self.row.retain(|it| it.1 != GONE);
        self.gone = 0;
        (self.first, self.row.iter().map(|it| it.1))
    }

    /// The entries from the greatest id down, those before `end` if there is one.
    pub(super) fn newest_first(&self, end: Option<TaskId>) -> impl Iterator<Item = u32> {
        let places = end.map_or(self.row.len(), |end| self.row.partition_point(|it| it.0 < end));
        let mut row = self.row.range(..places).rev().copied().filter(|it| it.1 != GONE).peekable();
        let strays = self.strays.range((Bound::Unbounded, end.map_or(Bound::Unbounded, Bound::Excluded)));
        let mut strays = strays.rev().map(|(id, key)| (*id, *key)).peekable();
        std::iter::from_fn(move || {
            let is_stray = strays.peek().map(|it| it.0) > row.peek().map(|it| it.0);
            let next = if is_stray { strays.next() } else { row.next() };
            next.map(|it| it.1)
        })
    }

    /// Where in the row an id stands that is not gone.
    fn place(&self, id: TaskId) -> Option<usize> {
        let place = self.row.binary_search_by_key(&id, |it| it.0).ok()?;
        self.row.get(place).is_some_and(|it| it.1 != GONE).then_some(place)
    }

    fn shorten(&mut self) {
        while self.row.front().is_some_and(|it| it.1 == GONE) {
            self.row.pop_front();
            self.first = self.first.wrapping_add(1);
            self.gone -= 1;
            self.last_found = self.last_found.saturating_sub(1);
        }
        if self.row.is_empty() && self.row.capacity() > KEPT_CAPACITY {
            self.row.shrink_to(KEPT_CAPACITY);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::domain::Timestamp;

    fn id(number: u64) -> TaskId {
        TaskId::from_parts(Timestamp::from_micros(1_000_000), 0, number)
    }

    /// Whatever comes and goes, it answers as a tree would.
    #[test]
    fn answers_as_a_tree_would() {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..50 {
            let (mut index, mut model) = (Index::default(), BTreeMap::new());
            let mut numbers = HashMap::new();
            let is_orderly = random.bool();
            for step in 0..1_000_u32 {
                // Old ids come again, as those of tasks that were pruned and submitted anew.
                let number = if is_orderly { u64::from(step) * 3 + random.u64(0..6) } else { random.u64(0..500) };
                let this = id(number);
                match random.u32(0..10) {
                    0..=4 if !model.contains_key(&this) => {
                        numbers.insert(step, index.insert(this, step));
                        model.insert(this, step);
                    }
                    5..=8 => {
                        let gone = model.keys().nth(random.usize(0..3)).copied().unwrap_or(this);
                        if let Some(key) = model.remove(&gone) {
                            index.remove(gone, numbers[&key]);
                        }
                        if index.is_sparse() {
                            let (from, keys) = index.make_dense();
                            numbers.extend(keys.zip(from..));
                        }
                    }
                    _ => {
                        assert_eq!(index.find(this), model.get(&this).copied(), "seed {seed}");
                        assert_eq!(index.find_next(this), model.get(&this).copied(), "seed {seed}");
                        let expected = model.range(..this).rev().map(|it| *it.1).collect::<Vec<_>>();
                        assert_eq!(index.newest_first(Some(this)).collect::<Vec<_>>(), expected, "seed {seed}");
                    }
                }
            }
            let (expected, found): (Vec<_>, Vec<_>) =
                (model.values().rev().copied().collect(), index.newest_first(None).collect());
            assert_eq!(found, expected, "seed {seed}");
        }
    }
}
