//! The tables of one thread: from small to large, as its hits need it.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

use try_lock::{Locked, TryLock};

use super::entry::Entry;

/// The number of sets of the smallest table, as a power of two; each further one has twice as many.
const LEAST: usize = 4;

/// The largest one has 4,096 sets, 256 KiB: what fits into a core's own cache beside other things.
const SIZES: usize = 9;

/// Entries of a set.
pub(super) const WAYS: usize = 5;

/// A thread's tables. Only the last one is in use; the others are empty.
pub(super) struct Tables<K, R> {
    size: AtomicUsize,
    /// Entries that were displaced by others, since this many calls.
    displaced: AtomicU32,
    since: AtomicU64,
    sizes: [OnceLock<Table<K, R>>; SIZES],
}

/// Sets of entries. An entry is in the set that its hash says, or, if that was full, in the one beside it.
pub(super) struct Table<K, R>(Box<[Set<K, R>]>);

/// One cache line. The lock is only ever tried: while one thread compares and clones what users wrote, another one finds
/// nothing here and looks in the bounded store. So nobody waits for users' code, and users' code may call the cache again.
#[repr(align(64))]
pub(super) struct Set<K, R>(TryLock<Ways<K, R>>);

/// The entries of a set.
pub(super) struct Ways<K, R> {
    entries: [Option<Arc<Entry<K, R>>>; WAYS],
    /// A byte of each entry's hash, so that other entries need not be looked at.
    tags: u64,
    /// The tick in which the bounded store was last told of a hit.
    told: [u8; WAYS],
    /// Whether an entry of this set is in the one beside it.
    has_spilled: bool,
}

/// An entry that goes in.
pub(super) struct Put<'a, K, R> {
    pub(super) entry: &'a Arc<Entry<K, R>>,
    /// The present tick.
    pub(super) told: u8,
    /// Says whom it displaces if there is no room.
    pub(super) chance: usize,
    /// How many calls there were.
    pub(super) calls: u64,
}

impl<K, R> Tables<K, R> {
    /// The largest size that a cache of this capacity is worth.
    pub(super) fn largest_for(capacity: u64) -> usize {
        // Half of the ways stay free if all entries are in it.
        let holds = |size: &usize| (WAYS << LEAST << size) as u64 / 2 >= capacity;
        (0..SIZES).find(holds).unwrap_or(SIZES - 1)
    }

    /// The table in use.
    #[inline]
    pub(super) fn present(&self) -> Option<&Table<K, R>> {
        self.sizes[self.size.load(Ordering::Relaxed) % SIZES].get()
    }

    /// Puts an entry in. If entries are often displaced, the next table takes over, up to the `largest`.
    pub(super) fn put(&self, put: &Put<'_, K, R>, largest: usize) {
        let size = self.size.load(Ordering::Relaxed);
        let is_displaced = self.sizes[size].get_or_init(|| Table::new(size)).put(put);
        if is_displaced && size < largest && self.is_crowded(size, put.calls) {
            self.grow(size);
        }
    }

    /// Takes an entry out.
    pub(super) fn remove(&self, entry: &Arc<Entry<K, R>>) {
        self.all().for_each(|it| it.remove(entry));
    }

    /// Takes everything out.
    pub(super) fn empty(&self) {
        for set in self.all().flat_map(|it| &it.0) {
            let removed = set.try_lock().map(|mut it| it.take_all());
            drop(removed);
        }
    }

    /// Whether the share of calls that displace entries is over 1 in 128: they cost so much that it shows.
    fn is_crowded(&self, size: usize, calls: u64) -> bool {
        let many = (WAYS << LEAST << size) / 8;
        if calls.wrapping_sub(self.since.load(Ordering::Relaxed)) > 128 * many as u64 {
            self.since.store(calls, Ordering::Relaxed);
            self.displaced.store(0, Ordering::Relaxed);
        }
        self.displaced.fetch_add(1, Ordering::Relaxed) as usize + 1 >= many
    }

    fn grow(&self, size: usize) {
        let next = self.sizes[size + 1].get_or_init(|| Table::new(size + 1));
        if self.size.compare_exchange(size, size + 1, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return;
        }
        self.displaced.store(0, Ordering::Relaxed);
        for set in self.sizes[size].get().into_iter().flat_map(|it| &it.0) {
            let Some(mut ways) = set.try_lock() else { continue };
            let (told, entries) = (ways.told, ways.take_all());
            drop(ways);
            for (entry, told) in entries.into_iter().zip(told) {
                if let Some(entry) = entry {
                    next.put(&Put { entry: &entry, told, chance: 0, calls: 0 });
                }
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = &Table<K, R>> {
        self.sizes.iter().map_while(OnceLock::get)
    }
}

impl<K, R> Table<K, R> {
    fn new(size: usize) -> Self {
        Self((0..1 << LEAST << size).map(|_| Set::default()).collect())
    }

    /// Where entries of this hash may be: first the set that it says.
    #[inline]
    pub(super) fn sets(&self, hash: u64) -> [&Set<K, R>; 2] {
        let last = self.0.len() - 1;
        let first = hash as usize & last;
        // The mask says that both are in bounds.
        [&self.0[first], &self.0[(first ^ 1) & last]]
    }

    /// Puts an entry in, and says whether another one had to go.
    fn put(&self, put: &Put<'_, K, R>) -> bool {
        let [first, second] = self.sets(put.entry.hash);
        let Some(mut ways) = first.try_lock() else { return false };
        if let Some(way) = ways.way_of(put.entry.hash).or_else(|| ways.empty_way()) {
            let old = ways.put(way, put);
            drop(ways);
            drop(old);
            return false;
        }
        if let Some(mut beside) = second.try_lock()
            && let Some(way) = beside.way_of(put.entry.hash).or_else(|| beside.empty_way())
        {
            ways.has_spilled = true;
            let old = beside.put(way, put);
            drop((ways, beside));
            drop(old);
            return false;
        }
        let old = ways.put(put.chance % WAYS, put);
        drop(ways);
        drop(old);
        true
    }

    fn remove(&self, entry: &Arc<Entry<K, R>>) {
        for set in self.sets(entry.hash) {
            let Some(mut ways) = set.try_lock() else { continue };
            let is_it = |way: &usize| ways.entries[*way].as_ref().is_some_and(|it| Arc::ptr_eq(it, entry));
            let removed = (0..WAYS).find(is_it).and_then(|it| ways.take(it));
            drop(ways);
            drop(removed);
        }
    }
}

impl<K, R> Set<K, R> {
    /// The entries, unless somebody looks at them right now.
    #[inline]
    pub(super) fn try_lock(&self) -> Option<Locked<'_, Ways<K, R>>> {
        self.0.try_lock()
    }
}

impl<K, R> Ways<K, R> {
    #[inline]
    pub(super) fn at(&self, way: usize) -> Option<&Arc<Entry<K, R>>> {
        self.entries[way].as_ref()
    }

    /// The entries that may be of this hash: all that are, and few others.
    ///
    /// All tags at once, because a processor cannot foresee which of them it is: where the lowest byte of a number is zero that
    /// has the tag's bits taken out, its highest bit becomes one.
    #[inline]
    pub(super) const fn of_tag(&self, hash: u64) -> Matches {
        const LOWEST: u64 = 0x01_01_01_01_01;
        let differences = self.tags ^ (tag(hash) * LOWEST);
        Matches(differences.wrapping_sub(LOWEST) & !differences & (LOWEST << 7))
    }

    /// Notes that the bounded store is told of a hit in this tick, and says whether it was not yet.
    #[inline]
    pub(super) fn tell(&mut self, way: usize, tick: u8) -> bool {
        std::mem::replace(&mut self.told[way], tick) != tick
    }

    /// Whether entries of this set may be in the one beside it.
    #[inline]
    pub(super) const fn has_spilled(&self) -> bool {
        self.has_spilled
    }

    pub(super) const fn take(&mut self, way: usize) -> Option<Arc<Entry<K, R>>> {
        self.entries[way].take()
    }

    fn take_all(&mut self) -> [Option<Arc<Entry<K, R>>>; WAYS] {
        self.has_spilled = false;
        std::mem::take(&mut self.entries)
    }

    fn way_of(&self, hash: u64) -> Option<usize> {
        self.of_tag(hash).find(|it| self.at(*it).is_some_and(|it| it.hash == hash))
    }

    fn empty_way(&self) -> Option<usize> {
        self.entries.iter().position(Option::is_none)
    }

    fn put(&mut self, way: usize, put: &Put<'_, K, R>) -> Option<Arc<Entry<K, R>>> {
        self.tags = self.tags & !(0xff << (8 * way)) | tag(put.entry.hash) << (8 * way);
        self.told[way] = put.told;
        self.entries[way].replace(put.entry.clone())
    }
}

/// Other bits than those that say the set.
#[inline]
const fn tag(hash: u64) -> u64 {
    hash >> 56
}

/// Numbers of ways, as the highest bits of bytes.
pub(super) struct Matches(u64);

impl Iterator for Matches {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let way = (self.0 != 0).then(|| self.0.trailing_zeros() as usize / 8);
        self.0 &= self.0.wrapping_sub(1);
        way
    }
}

impl<K, R> Default for Tables<K, R> {
    fn default() -> Self {
        Self {
            size: AtomicUsize::new(0),
            displaced: AtomicU32::new(0),
            since: AtomicU64::new(0),
            sizes: Default::default(),
        }
    }
}

impl<K, R> Default for Set<K, R> {
    fn default() -> Self {
        let ways = Ways { entries: Default::default(), tags: 0, told: [0; WAYS], has_spilled: false };
        Self(TryLock::new(ways))
    }
}

/// What a hit looks at is one cache line.
const _: () = assert!(size_of::<Set<String, String>>() == 64);
