//! The front table: the entries that a thread has hit of late, found without touching a line that other threads write to.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

use try_lock::Locked;

use super::{
    super::stripes::{LINES, Line, Stripes},
    entry::Entry,
    front_table::{Put, Tables, Ways},
};

/// The bounded store decides by a sketch of frequencies whom to evict. One period of the sketch is ten times the capacity,
/// and it counts to 15: so this is how many calls there are to a tick, in which a hit of an entry is told it once. Of
/// entries that are seldom hit it learns each hit, of popular ones no more than it can count.
const fn calls_to_a_tick(capacity: u64) -> u32 {
    const MOST: u64 = 16_384;
    let capacity = if capacity < MOST { capacity as u32 } else { MOST as u32 };
    let calls = capacity * 10 / 16;
    if calls < 2 { 1 } else { calls }
}

/// One table for each thread that has a line of its own; other threads share some.
pub(super) struct Front<K, R> {
    stripes: Stripes<Stripe<K, R>>,
    /// The largest size that is worth it.
    largest: AtomicUsize,
    /// Whether the bounded store is told of hits: as soon as there is something to be decided, because it is full.
    is_telling: AtomicBool,
    /// A tick is two to the power of it.
    tick: AtomicU32,
}

struct Stripe<K, R> {
    hits: AtomicU64,
    /// Hits of the bounded store, which put entries in here. With the hits, it is what the ticks are counted by.
    puts: AtomicU64,
    tables: Tables<K, R>,
}

/// What an entry of the right hash is good for.
pub(super) enum Found {
    /// Nothing: it is another key's.
    Other,
    /// To be served.
    Good,
    /// It needs a closer look than one under this lock.
    Unclear,
    /// Nothing any more.
    Dead,
}

/// An entry that is good, while nobody else looks at it.
pub(super) struct Spot<'a, K, R> {
    front: &'a Front<K, R>,
    line: Line,
    ways: Locked<'a, Ways<K, R>>,
    way: usize,
}

impl<K, R> Front<K, R> {
    pub(super) fn new(capacity: u64) -> Self {
        let front = Self {
            stripes: Stripes::default(),
            largest: AtomicUsize::new(0),
            is_telling: AtomicBool::new(false),
            tick: AtomicU32::new(0),
        };
        front.resize(capacity);
        front
    }

    /// An entry of this hash that is good.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_good: impl Fn(&Entry<K, R>) -> Found) -> Option<Spot<'_, K, R>> {
        let line = Line::mine();
        let stripe = self.stripes.at(line);
        let table = stripe.tables.present()?;
        for set in table.sets(hash) {
            let mut ways = set.try_lock()?;
            for way in ways.of_tag(hash) {
                let Some(entry) = ways.at(way) else { continue };
                match is_good(entry) {
                    Found::Other => {}
                    Found::Good => return Some(Spot { front: self, line, ways, way }),
                    Found::Unclear => return None,
                    Found::Dead => {
                        let dead = ways.take(way);
                        drop(ways);
                        drop(dead);
                        return None;
                    }
                }
            }
            if !ways.has_spilled() {
                return None;
            }
        }
        None
    }

    /// Puts an entry in that was hit.
    pub(super) fn put(&self, entry: &Arc<Entry<K, R>>) {
        let line = Line::mine();
        let stripe = self.stripes.at(line);
        let puts = line.count(&stripe.puts);
        let hits = stripe.hits.load(Ordering::Relaxed);
        entry.note_front(line.as_number());
        let put = Put {
            entry,
            // A hit of the bounded store put it in.
            told: self.tick(hits, &stripe.puts),
            // Not in turn: of keys that take turns and do not fit, each would be displaced just before it is asked for.
            chance: (hits ^ puts) as usize,
            calls: hits.wrapping_add(puts),
        };
        stripe.tables.put(&put, self.largest.load(Ordering::Relaxed));
    }

    /// Takes an entry out, where no thread is looking at it right now.
    pub(super) fn remove(&self, entry: &Arc<Entry<K, R>>) {
        for stripe in entry.fronts().map(|it| self.stripes.at(Line::number(it))) {
            stripe.tables.remove(entry);
        }
    }

    /// Takes everything out, likewise.
    pub(super) fn clear(&self) {
        self.stripes.all().for_each(|it| it.tables.empty());
    }

    /// From now on the bounded store decides what to evict.
    pub(super) fn tell(&self) {
        self.is_telling.store(true, Ordering::Relaxed);
    }

    /// For a cache that holds so much.
    pub(super) fn resize(&self, capacity: u64) {
        self.largest.store(Tables::<K, R>::largest_for(capacity), Ordering::Relaxed);
        self.tick.store(calls_to_a_tick(capacity).ilog2(), Ordering::Relaxed);
    }

    /// How many hits there were.
    pub(super) fn hits(&self) -> u64 {
        self.stripes.all().map(|it| it.hits.load(Ordering::Relaxed)).sum()
    }

    /// The present tick; it is shown by its lowest bits alone.
    #[inline]
    fn tick(&self, hits: u64, puts: &AtomicU64) -> u8 {
        let calls = hits.wrapping_add(puts.load(Ordering::Relaxed));
        (calls >> self.tick.load(Ordering::Relaxed)) as u8
    }
}

impl<K, R> Spot<'_, K, R> {
    #[inline]
    pub(super) fn value(&self) -> Option<&R> {
        self.ways.at(self.way)?.value()
    }

    pub(super) fn into_entry(self) -> Option<Arc<Entry<K, R>>> {
        self.ways.at(self.way).cloned()
    }

    /// Counts a hit, and says whether it is one that the bounded store is to be told of.
    #[inline]
    pub(super) fn count(&mut self) -> bool {
        let stripe = self.front.stripes.at(self.line);
        let hits = self.line.count(&stripe.hits);
        self.front.is_telling.load(Ordering::Relaxed) && self.ways.tell(self.way, self.front.tick(hits, &stripe.puts))
    }
}

impl<K, R> Default for Stripe<K, R> {
    fn default() -> Self {
        Self { hits: AtomicU64::new(0), puts: AtomicU64::new(0), tables: Tables::default() }
    }
}

/// The bits of an entry's note say in which lines it may be.
const _: () = assert!(LINES <= 32);
