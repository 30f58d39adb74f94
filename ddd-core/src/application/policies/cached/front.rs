//! The front table: the entries that a thread has hit of late, found without touching a line that other threads write to.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

use try_lock::TryLock;

use super::{super::stripes::Stripes, entry::Entry};

/// Sets of a table; a thread's table grows when what it hits does not fit.
const SIZES: [usize; 3] = [16, 128, 1_024];

const WAYS: usize = 4;

/// The bounded store decides by a sketch of frequencies whom to evict. One period of the sketch is ten times the capacity,
/// and it counts to 15: so this is how many calls there are to a tick, in which a hit of an entry is told it once. Of
/// entries that are seldom hit it learns each hit, of popular ones no more than it can count.
const fn calls_to_a_tick(capacity: u64) -> u32 {
    const MOST: u64 = 16_384;
    let capacity = if capacity < MOST { capacity as u32 } else { MOST as u32 };
    let calls = capacity * 10 / 16;
    if calls < 2 { 1 } else { calls }
}

/// One table for each thread (more threads than stripes share them).
pub(super) struct Front<K, R> {
    stripes: Stripes<Stripe<K, R>>,
    /// The largest size that is worth it.
    largest: AtomicUsize,
    /// Whether the bounded store is told of hits: as soon as there is something to be decided, because it is full.
    is_telling: AtomicBool,
    /// A tick is two to the power of it.
    tick: AtomicU32,
}

type Sets<K, R> = Box<[Set<K, R>]>;

struct Stripe<K, R> {
    /// Hits of this thread, roughly: it is what the ticks are counted by.
    clock: AtomicU32,
    size: AtomicUsize,
    displaced: AtomicU32,
    hits: AtomicU64,
    tables: [OnceLock<Sets<K, R>>; SIZES.len()],
}

/// One cache line. The lock is only ever tried: while one thread compares and clones what users wrote, another one finds
/// nothing here and looks in the bounded store. So nobody waits for users' code, and users' code may call the cache again.
#[repr(align(64))]
struct Set<K, R>(TryLock<Ways<K, R>>);

struct Ways<K, R> {
    tags: [u16; WAYS],
    /// The tick in which the bounded store was last told of a hit.
    told: [u16; WAYS],
    /// Hits that the stripe does not count yet.
    hits: u32,
    /// Goes on with each entry that comes in.
    turn: u32,
    entries: [Option<Arc<Entry<K, R>>>; WAYS],
}

/// What a caller made of an entry that the table found.
pub(super) enum Found<T> {
    /// It is another key's.
    Other,
    /// This is served.
    Served(T),
    /// It needs a closer look than one under this lock.
    Unclear,
    /// It is good for nothing.
    Dead,
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

    /// What `serve` makes of an entry of this hash. `is_told` becomes true if the hit is one that the bounded store is to be
    /// told of.
    #[inline]
    pub(super) fn find<T>(&self, hash: u64, is_told: &mut bool, serve: impl Fn(&Entry<K, R>) -> Found<T>) -> Option<T> {
        let stripe = self.stripes.mine();
        let mut ways =
            stripe.tables[stripe.size.load(Ordering::Relaxed)].get().map(|it| set(it, hash))?.0.try_lock()?;
        for way in 0..WAYS {
            if ways.tags[way] != tag(hash) {
                continue;
            }
            let Some(entry) = ways.entries[way].as_ref().filter(|it| it.hash == hash) else { continue };
            match serve(entry) {
                Found::Other => {}
                Found::Unclear => return None,
                Found::Served(value) => {
                    ways.count(&stripe.hits);
                    let tick = stripe.tick(self.tick.load(Ordering::Relaxed));
                    if ways.told[way] != tick && self.is_telling.load(Ordering::Relaxed) {
                        ways.told[way] = tick;
                        *is_told = true;
                    }
                    return Some(value);
                }
                Found::Dead => {
                    let dead = ways.entries[way].take();
                    drop(ways);
                    drop(dead);
                    return None;
                }
            }
        }
        None
    }

    /// Puts an entry in that was hit.
    pub(super) fn put(&self, entry: &Arc<Entry<K, R>>) {
        let stripe = self.stripes.mine();
        let table = stripe.table();
        let Some(mut ways) = set(table, entry.hash).0.try_lock() else { return };
        let same = (0..WAYS).find(|it| ways.entries[*it].as_ref().is_some_and(|it| it.hash == entry.hash));
        let empty = || (0..WAYS).find(|it| ways.entries[*it].is_none());
        let way = same.or_else(empty).unwrap_or_else(|| ways.turn as usize % WAYS);
        ways.turn = ways.turn.wrapping_add(1);
        ways.tags[way] = tag(entry.hash);
        // A hit of the bounded store put it in.
        ways.told[way] = stripe.tick(self.tick.load(Ordering::Relaxed));
        let old = ways.entries[way].replace(entry.clone());
        drop(ways);
        if same.is_none() && old.is_some() {
            stripe.grow(self.largest.load(Ordering::Relaxed));
        }
        drop(old);
    }

    /// Takes the entries of this hash out, where no thread is looking at them right now.
    pub(super) fn remove(&self, hash: u64) {
        for table in self.tables() {
            let Some(mut ways) = set(table, hash).0.try_lock() else { continue };
            let found = (0..WAYS).find(|it| ways.entries[*it].as_ref().is_some_and(|it| it.hash == hash));
            let removed = found.and_then(|it| ways.entries[it].take());
            drop(ways);
            drop(removed);
        }
    }

    /// Takes everything out, likewise.
    pub(super) fn clear(&self) {
        self.tables().for_each(|it| empty(it));
    }

    /// From now on the bounded store decides what to evict.
    pub(super) fn tell(&self) {
        self.is_telling.store(true, Ordering::Relaxed);
    }

    /// For a cache that holds so much.
    pub(super) fn resize(&self, capacity: u64) {
        let largest = SIZES.iter().position(|it| (it * WAYS) as u64 >= capacity).unwrap_or(SIZES.len() - 1);
        self.largest.store(largest, Ordering::Relaxed);
        self.tick.store(calls_to_a_tick(capacity).ilog2(), Ordering::Relaxed);
    }

    /// How many hits there were.
    pub(super) fn hits(&self) -> u64 {
        let counted: u64 = self.stripes.all().map(|it| it.hits.load(Ordering::Relaxed)).sum();
        counted + self.tables().flatten().filter_map(|it| it.0.try_lock()).map(|it| u64::from(it.hits)).sum::<u64>()
    }

    fn tables(&self) -> impl Iterator<Item = &Sets<K, R>> {
        self.stripes.all().flat_map(|it| it.tables.iter().filter_map(OnceLock::get))
    }
}

impl<K, R> Ways<K, R> {
    /// Counts a hit; now and then it brings them to the stripe.
    #[inline]
    fn count(&mut self, counted: &AtomicU64) {
        self.hits += 1;
        if self.hits == 1 << 31 {
            counted.fetch_add(u64::from(std::mem::take(&mut self.hits)), Ordering::Relaxed);
        }
    }
}

impl<K, R> Stripe<K, R> {
    /// The present tick, after one more call. Threads that share a stripe may lose calls of each other.
    #[inline]
    fn tick(&self, calls_log2: u32) -> u16 {
        let clock = self.clock.load(Ordering::Relaxed).wrapping_add(1);
        self.clock.store(clock, Ordering::Relaxed);
        (clock >> calls_log2) as u16
    }

    fn table(&self) -> &[Set<K, R>] {
        let size = self.size.load(Ordering::Relaxed);
        self.tables[size].get_or_init(|| (0..SIZES[size]).map(|_| Set::default()).collect())
    }

    /// Takes the next size when the table has been turned over.
    fn grow(&self, largest: usize) {
        let size = self.size.load(Ordering::Relaxed);
        let displaced = self.displaced.fetch_add(1, Ordering::Relaxed) as usize;
        if size >= largest || displaced < SIZES[size] * WAYS {
            return;
        }
        if self.size.compare_exchange(size, size + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            self.displaced.store(0, Ordering::Relaxed);
            self.tables[size].get().into_iter().for_each(|it| empty(it));
        }
    }
}

fn empty<K, R>(table: &[Set<K, R>]) {
    for set in table {
        let Some(mut ways) = set.0.try_lock() else { continue };
        let removed = std::mem::take(&mut ways.entries);
        drop(ways);
        drop(removed);
    }
}

#[inline]
fn set<K, R>(table: &[Set<K, R>], hash: u64) -> &Set<K, R> {
    &table[hash as usize & (table.len() - 1)]
}

#[inline]
const fn tag(hash: u64) -> u16 {
    (hash >> 32) as u16
}

impl<K, R> Default for Set<K, R> {
    fn default() -> Self {
        Self(TryLock::new(Ways { tags: [0; WAYS], told: [0; WAYS], hits: 0, turn: 0, entries: Default::default() }))
    }
}

impl<K, R> Default for Stripe<K, R> {
    fn default() -> Self {
        Self {
            clock: AtomicU32::new(0),
            size: AtomicUsize::new(0),
            displaced: AtomicU32::new(0),
            hits: AtomicU64::new(0),
            tables: Default::default(),
        }
    }
}
