//! The front table: the entries that a thread has hit of late, found without touching a line that other threads write to.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

use parking_lot::Mutex;

use super::{super::stripes::Stripes, entry::Entry};

/// Sets of a table; a thread's table grows when what it hits does not fit.
const SIZES: [usize; 3] = [16, 128, 1_024];

const WAYS: usize = 4;

/// Of so many hits, one is told to the bounded store, which decides by them what to evict.
const TOLD_OF: u32 = 16;

/// One table for each thread (more threads than stripes share them).
pub(super) struct Front<K, R> {
    stripes: Stripes<Stripe<K, R>>,
    /// The largest size that is worth it.
    largest: AtomicUsize,
}

struct Stripe<K, R> {
    size: AtomicUsize,
    displaced: AtomicU32,
    hits: AtomicU64,
    tables: [OnceLock<Box<[Set<K, R>]>>; SIZES.len()],
}

/// One cache line. The lock is only ever tried: while one thread compares and clones what users wrote, another one finds
/// nothing here and looks in the bounded store. So nobody waits for users' code, and users' code may call the cache again.
#[repr(align(64))]
struct Set<K, R>(Mutex<Ways<K, R>>);

struct Ways<K, R> {
    tags: [u32; WAYS],
    /// Hits that the stripe does not count yet.
    hits: u32,
    /// Goes on with each hit and each entry that comes in.
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
        let front = Self { stripes: Stripes::default(), largest: AtomicUsize::new(0) };
        front.resize(capacity);
        front
    }

    /// What `serve` makes of an entry of this hash, and whether the hit is one that the bounded store is to be told of.
    #[inline]
    pub(super) fn find<T>(&self, hash: u64, serve: impl Fn(&Entry<K, R>) -> Found<T>) -> Option<(T, bool)> {
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
                    return Some((value, ways.count(&stripe.hits)));
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
        self.tables().for_each(empty);
    }

    /// For a cache that holds so much.
    pub(super) fn resize(&self, capacity: u64) {
        let largest = SIZES.iter().position(|it| (it * WAYS) as u64 >= capacity).unwrap_or(SIZES.len() - 1);
        self.largest.store(largest, Ordering::Relaxed);
    }

    /// How many hits there were.
    pub(super) fn hits(&self) -> u64 {
        let counted: u64 = self.stripes.all().map(|it| it.hits.load(Ordering::Relaxed)).sum();
        counted + self.tables().flatten().filter_map(|it| it.0.try_lock()).map(|it| u64::from(it.hits)).sum::<u64>()
    }

    fn tables(&self) -> impl Iterator<Item = &Box<[Set<K, R>]>> {
        self.stripes.all().flat_map(|it| it.tables.iter().filter_map(OnceLock::get))
    }
}

impl<K, R> Ways<K, R> {
    /// Counts a hit; answers whether it is one that the bounded store is to be told of.
    fn count(&mut self, counted: &AtomicU64) -> bool {
        self.hits += 1;
        self.turn = self.turn.wrapping_add(1);
        // Spread by a multiplication, lest a pattern of calls always tells of the same key.
        let is_told = self.turn.wrapping_mul(0x9e37_79b9) < u32::MAX / TOLD_OF;
        if is_told {
            counted.fetch_add(u64::from(std::mem::take(&mut self.hits)), Ordering::Relaxed);
        }
        is_told
    }
}

impl<K, R> Stripe<K, R> {
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
            self.tables[size].get().into_iter().for_each(empty);
        }
    }
}

fn empty<K, R>(table: &Box<[Set<K, R>]>) {
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
const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}

impl<K, R> Default for Set<K, R> {
    fn default() -> Self {
        Self(Mutex::new(Ways { tags: [0; WAYS], hits: 0, turn: 0, entries: Default::default() }))
    }
}

impl<K, R> Default for Stripe<K, R> {
    fn default() -> Self {
        Self {
            size: AtomicUsize::new(0),
            displaced: AtomicU32::new(0),
            hits: AtomicU64::new(0),
            tables: Default::default(),
        }
    }
}
