use std::collections::{BTreeMap, VecDeque};

use super::{
    entries::Entries,
    entry::{DueOrder, PRIORITIES},
};
use crate::domain::{Priority, Rank, RankStep, Timestamp};

/// A lane keeps the room for so many items when it runs empty.
const KEPT_CAPACITY: usize = 4_096;
/// A lane with fewer dead items than this is not worth the work.
const COMPACT_FROM: usize = 64;

/// A ready task in a lane. It is dead if the entry has got another ticket since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item {
    pub(super) due: Timestamp,
    pub(super) seq: u64,
    pub(super) key: u32,
    pub(super) ticket: u32,
}

impl Item {
    const fn order(&self) -> DueOrder {
        (self.due, self.seq)
    }

    fn is_live(&self, entries: &Entries) -> bool {
        entries.is_live(self.key, self.seq, self.ticket)
    }
}

/// The ready tasks of one priority, by due time. Nearly all arrive in that order and need no tree.
#[derive(Debug, Default)]
struct Lane {
    in_order: VecDeque<Item>,
    strays: BTreeMap<DueOrder, (u32, u32)>,
    live: usize,
}

impl Lane {
    fn push(&mut self, item: Item) {
        self.live += 1;
        if self.in_order.back().is_none_or(|back| back.order() < item.order()) {
            self.in_order.push_back(item);
        } else {
            self.strays.insert(item.order(), (item.key, item.ticket));
        }
    }

    fn put_back(&mut self, item: Item) {
        self.live += 1;
        if self.in_order.front().is_none_or(|front| item.order() < front.order()) {
            self.in_order.push_front(item);
        } else {
            self.strays.insert(item.order(), (item.key, item.ticket));
        }
    }

    fn first_stray(&self) -> Option<Item> {
        self.strays.first_key_value().map(|(&(due, seq), &(key, ticket))| Item { due, seq, key, ticket })
    }

    /// The first live item, and whether it is a stray.
    fn front(&mut self, entries: &Entries) -> Option<(Item, bool)> {
        while self.in_order.front().is_some_and(|it| !it.is_live(entries)) {
            self.in_order.pop_front();
        }
        match (self.in_order.front().copied(), self.first_stray()) {
            (Some(item), Some(stray)) if stray.order() < item.order() => Some((stray, true)),
            (Some(item), _) => Some((item, false)),
            (None, stray) => stray.map(|it| (it, true)),
        }
    }

    fn pop(&mut self, entries: &Entries) -> Option<Item> {
        let (item, is_stray) = self.front(entries)?;
        if is_stray {
            self.strays.pop_first();
        } else {
            self.in_order.pop_front();
        }
        self.live -= 1;
        self.tidy(entries);
        Some(item)
    }

    fn forget(&mut self, order: DueOrder, entries: &Entries) {
        self.strays.remove(&order);
        self.live -= 1;
        self.tidy(entries);
    }

    fn before(&self, order: DueOrder, most: usize, entries: &Entries) -> usize {
        /// So many are looked at one by one.
        const FEW: usize = 64;
        if self.live == 0 {
            return 0;
        }
        let in_order = self.in_order.partition_point(|it| it.order() < order);
        let is_exact = self.in_order.len() + self.strays.len() == self.live;
        let in_order = if is_exact || in_order > FEW {
            in_order.min(self.live)
        } else {
            self.in_order.iter().take(in_order).filter(|it| it.is_live(entries)).count()
        };
        in_order + self.strays.range(..order).take(most).count()
    }

    fn tidy(&mut self, entries: &Entries) {
        let dead = (self.in_order.len() + self.strays.len()).saturating_sub(self.live);
        if self.live == 0 {
            self.in_order.clear();
            if self.in_order.capacity() > KEPT_CAPACITY {
                self.in_order.shrink_to(KEPT_CAPACITY);
            }
        } else if dead > COMPACT_FROM && dead > self.live {
            self.in_order.retain(|it| it.is_live(entries));
        }
    }
}

/// The head of the line of a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) rank: Rank,
    pub(super) seq: u64,
    pub(super) lane: usize,
}

/// The ready tasks of a queue: one lane for each priority.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: Box<[Lane]>,
    occupied: u32,
}

impl Default for Lanes {
    fn default() -> Self {
        Self { lanes: std::iter::repeat_with(Lane::default).take(PRIORITIES).collect(), occupied: 0 }
    }
}

impl Lanes {
    pub(super) fn push(&mut self, lane: usize, item: Item) {
        self.lanes[lane].push(item);
        self.occupied |= 1 << lane;
    }

    /// Puts an item back that was popped. Of several, the last popped goes first.
    pub(super) fn put_back(&mut self, lane: usize, item: Item) {
        self.lanes[lane].put_back(item);
        self.occupied |= 1 << lane;
    }

    /// Takes out an item whose entry got a new ticket.
    pub(super) fn forget(&mut self, lane: usize, order: DueOrder, entries: &Entries) {
        self.lanes[lane].forget(order, entries);
        self.mark(lane);
    }

    pub(super) fn pop(&mut self, lane: usize, entries: &Entries) -> Option<Item> {
        let item = self.lanes[lane].pop(entries);
        self.mark(lane);
        item
    }

    fn mark(&mut self, lane: usize) {
        if self.lanes[lane].live == 0 {
            self.occupied &= !(1 << lane);
        }
    }

    /// The item of the smallest rank; among equals, the first to arrive.
    pub(super) fn head(&mut self, step: RankStep, entries: &Entries) -> Option<Head> {
        let mut best: Option<Head> = None;
        let mut rest = self.occupied;
        while rest != 0 {
            let lane = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let Some((item, _)) = self.lanes[lane].front(entries) else { continue };
            let rank = Rank::new(item.due, priority_of(lane), step);
            if best.is_none_or(|it| (rank, item.seq) < (it.rank, it.seq)) {
                best = Some(Head { rank, seq: item.seq, lane });
            }
        }
        best
    }

    /// The lane of the smallest rank, if the first item of each is live: told without a look at any entry.
    pub(super) fn likely_lane(&self, step: RankStep) -> Option<usize> {
        let occupied = (0..PRIORITIES).filter(|it| self.occupied & (1 << it) != 0);
        let ranked = occupied
            .filter_map(|it| Some((Rank::new(self.lanes[it].in_order.front()?.due, priority_of(it), step), it)));
        ranked.min().map(|(_, lane)| lane)
    }

    /// The items that are probably next in `lane`.
    pub(super) fn next_keys(&self, lane: usize, count: usize) -> impl Iterator<Item = u32> {
        self.lanes[lane].in_order.iter().take(count).map(|it| it.key)
    }

    pub(super) fn oldest_due(&mut self, entries: &Entries) -> Option<Timestamp> {
        self.lanes.iter_mut().filter_map(|it| it.front(entries)).map(|(item, _)| item.due).min()
    }

    /// The lanes that are not empty.
    pub(super) fn occupied(&self) -> impl Iterator<Item = usize> {
        (0..PRIORITIES).filter(|it| self.occupied & (1 << it) != 0)
    }

    /// How many items `lane` holds before the item of this order, counted up to `most`. Items that are dead count, unless
    /// there are few.
    pub(super) fn before(&self, lane: usize, order: DueOrder, most: usize, entries: &Entries) -> usize {
        self.lanes[lane].before(order, most, entries)
    }

    /// The live items that `keep` wants, at most `max`, in no order.
    pub(super) fn find(&self, entries: &Entries, max: usize, keep: impl Fn(u32) -> bool) -> Vec<u32> {
        let items = self.lanes.iter().flat_map(|it| {
            let in_order = it.in_order.iter().filter(|item| item.is_live(entries)).map(|item| item.key);
            in_order.chain(it.strays.values().map(|(key, _)| *key))
        });
        items.filter(|key| keep(*key)).take(max).collect()
    }
}

fn priority_of(lane: usize) -> Priority {
    Priority::clamped(Priority::MIN.get().saturating_add(i8::try_from(lane).unwrap_or(i8::MAX)))
}
