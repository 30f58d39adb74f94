//! The newest transitions, numbered, for streams to read at their own pace.

use std::{collections::VecDeque, sync::Arc};

use ddd_core::Transition;

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// A task's life changed.
    Transition(Arc<Transition>),
    /// So many transitions were lost before they came here.
    Lost(u64),
}

/// The newest news. Who reads too slowly misses some and learns how many; nothing is kept for anyone in particular.
#[derive(Debug)]
pub(super) struct Ring {
    news: VecDeque<News>,
    /// The number of the first of them.
    first: u64,
    capacity: usize,
}

/// What a reader gets.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The number of the last one that was looked at, whether wanted or not.
    pub(super) up_to: u64,
    /// So many were missed, before these.
    pub(super) missed: u64,
    /// The number of the last one that is missed.
    pub(super) gap: u64,
    /// Those that are wanted, each with its number.
    pub(super) wanted: Vec<(u64, Arc<Transition>)>,
}

impl Ring {
    /// No reader gets, or looks at, more than this in one go.
    const BATCH: usize = 256;

    /// The first number is 1: a reader that has seen 0 has seen nothing.
    pub(super) const fn new(capacity: usize) -> Self {
        Self { news: VecDeque::new(), first: 1, capacity }
    }

    /// The number of the newest.
    pub(super) fn last(&self) -> u64 {
        self.first + self.news.len() as u64 - 1
    }

    pub(super) fn push(&mut self, news: News) {
        if self.news.len() == self.capacity {
            self.news.pop_front();
            self.first += 1;
        }
        self.news.push_back(news);
    }

    /// Whether someone who has seen `number` can go on from there.
    pub(super) fn holds_after(&self, number: u64) -> bool {
        (self.first..=self.last() + 1).contains(&(number + 1))
    }

    /// What came after `seen`, as far as wanted, at most a batch.
    pub(super) fn after(&self, seen: u64, wanted: impl Fn(&Transition) -> bool) -> Read {
        let missed = self.first.saturating_sub(seen + 1);
        let mut read = Read { up_to: seen + missed, missed, gap: seen + missed, wanted: Vec::new() };
        let skipped = usize::try_from(read.up_to + 1 - self.first).unwrap_or(usize::MAX);
        for news in self.news.iter().skip(skipped).take(16 * Self::BATCH) {
            if read.wanted.len() == Self::BATCH {
                break;
            }
            read.up_to += 1;
            match news {
                News::Transition(transition) if wanted(transition) => {
                    read.wanted.push((read.up_to, transition.clone()));
                }
                News::Transition(_) => {}
                News::Lost(count) if read.wanted.is_empty() => {
                    read.missed += count;
                    read.gap = read.up_to;
                }
                News::Lost(_) => {
                    // First what came before it.
                    read.up_to -= 1;
                    break;
                }
            }
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use ddd_core::{Name, TaskId, TaskRecord, Timestamp};

    use super::*;

    fn news(name: &'static str) -> News {
        let id = TaskId::from_parts(Timestamp::from_micros(0), 0, 0);
        let params = serde_json::value::RawValue::NULL.to_owned().into();
        let record = TaskRecord::new(id, Name::new(name), Name::new("q"), params, Timestamp::from_micros(0));
        News::Transition(Arc::new(Transition::of(&record, None, Timestamp::from_micros(0))))
    }

    fn numbers(read: &Read) -> Vec<u64> {
        read.wanted.iter().map(|it| it.0).collect()
    }

    #[test]
    fn a_reader_goes_on_where_it_was() {
        let mut ring = Ring::new(3);
        assert_eq!((ring.last(), ring.holds_after(0), ring.holds_after(1)), (0, true, false));
        ring.push(news("a"));
        ring.push(news("b"));
        let read = ring.after(0, |it| it.name == "b");
        assert_eq!((read.up_to, read.missed, numbers(&read)), (2, 0, vec![2]));
        ring.push(news("b"));
        let read = ring.after(read.up_to, |_| true);
        assert_eq!((read.up_to, numbers(&read)), (3, vec![3]));
        assert!(ring.after(3, |_| true).wanted.is_empty());
    }

    #[test]
    fn a_slow_reader_learns_how_many_it_missed() {
        let mut ring = Ring::new(3);
        (0..5).for_each(|_| ring.push(news("a")));
        assert_eq!((ring.holds_after(1), ring.holds_after(2), ring.holds_after(5)), (false, true, true));
        let read = ring.after(0, |_| true);
        assert_eq!((read.missed, numbers(&read)), (2, vec![3, 4, 5]));
        assert_eq!((read.gap, read.up_to), (2, 5));
    }

    #[test]
    fn what_was_lost_is_told_in_its_place() {
        let mut ring = Ring::new(10);
        ring.push(news("a"));
        ring.push(News::Lost(7));
        ring.push(news("a"));
        let read = ring.after(0, |_| true);
        assert_eq!((read.missed, numbers(&read)), (0, vec![1]));
        let read = ring.after(read.up_to, |_| true);
        assert_eq!((read.missed, read.gap, numbers(&read), read.up_to), (7, 2, vec![3], 3));
    }
}
