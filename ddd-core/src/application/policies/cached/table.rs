use std::{
    any::Any,
    fmt,
    hash::Hash,
    sync::{Arc, OnceLock},
};

use super::{
    common::Common,
    entry::{Entry, Graveyard},
    flight::{Flight, Flights},
    front::{Found, Front},
    kept::Kept,
    life::Life,
    lookup::Lookup,
    shared::{Link, Place},
};
use crate::{
    domain::{Freshness, Moment, Stored, Tag},
    ports::CacheRules,
};

/// The entries of one function, for one set of types.
pub(super) struct Table<K, R> {
    pub(super) common: Arc<Common>,
    pub(super) flights: Flights<K, R>,
    front: Arc<Front<K, R>>,
    kept: Kept<K, R>,
    graveyard: Arc<Graveyard<K, R>>,
    /// There if processes have the entries in common.
    link: OnceLock<Link<K, R>>,
}

/// What is known of a key.
pub(super) enum Look<K, R> {
    /// A value to be served.
    Hit(R),
    /// A value to be served, and to be filled again by the caller.
    Due(R, Arc<Entry<K, R>>),
    /// Nothing to be served, unless the fill fails and there is an old value.
    Miss(Option<Arc<Entry<K, R>>>),
}

impl<K, R> Table<K, R>
where
    K: Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    pub(super) fn new(common: Arc<Common>) -> Self {
        let front = Arc::new(Front::new(common.settings().capacity));
        let kept = Kept::new(&common, &front);
        Self {
            common,
            flights: Flights::new(),
            front,
            kept,
            graveyard: Arc::new(Graveyard::new()),
            link: OnceLock::new(),
        }
    }

    /// A value that this thread has hit of late.
    #[inline]
    pub(super) fn hit<Q: Lookup<Key = K>>(
        &self,
        hash: u64,
        key: &Q,
        now: Moment,
        rules: &impl CacheRules<R>,
    ) -> Option<R> {
        let mut spot = self.front.find(hash, |entry| {
            if !entry.key().is_some_and(|it| key.is(it)) {
                return Found::Other;
            }
            if !self.common.is_calm(&entry.life, now) {
                match self.common.freshness(&entry.life, now) {
                    Freshness::Fresh => {}
                    Freshness::Due | Freshness::Stale => return Found::Unclear,
                    Freshness::Gone => return Found::Dead,
                }
            }
            Found::Good
        })?;
        if spot.count() {
            return self.tell(spot.into_entry()?, rules);
        }
        // Last of all: what comes after it would move the value once more, which costs as much as finding it if it is large.
        rules.share(spot.value()?)
    }

    /// Tells the bounded store of a hit, outside of the lock: it may take entries out of the front tables.
    #[cold]
    fn tell(&self, hit: Arc<Entry<K, R>>, rules: &impl CacheRules<R>) -> Option<R> {
        drop(self.kept.get(hit.hash));
        rules.share(hit.value()?)
    }

    /// What is known of a key.
    pub(super) fn look(
        &self,
        hash: u64,
        same: impl Fn(&K) -> bool,
        now: Moment,
        rules: &impl CacheRules<R>,
    ) -> Look<K, R> {
        let Some(entry) = self.kept.get(hash).filter(|it| it.key().is_some_and(same)) else {
            return Look::Miss(None);
        };
        let copy = || entry.value().and_then(|it| rules.share(it));
        let freshness = self.common.freshness(&entry.life, now);
        match freshness {
            Freshness::Fresh | Freshness::Due => match copy() {
                Some(value) if freshness == Freshness::Due && entry.life.begin_refresh() => Look::Due(value, entry),
                Some(value) => {
                    if freshness == Freshness::Fresh {
                        self.front.put(&entry);
                    }
                    Look::Hit(value)
                }
                None => Look::Miss(None),
            },
            Freshness::Stale => Look::Miss(Some(entry)),
            Freshness::Gone => Look::Miss(None),
        }
    }

    /// A fill of this key that may begin now.
    pub(super) fn flight(&self, hash: u64, key: K, tags: Vec<Tag>, old: Option<Arc<Entry<K, R>>>) -> Arc<Flight<K, R>> {
        let (entry, place) = self.entry(hash, key, tags);
        Flight::new(entry, old, place)
    }

    /// An entry whose fill begins now, and its place in the store that processes share.
    pub(super) fn entry(&self, hash: u64, key: K, tags: Vec<Tag>) -> (Arc<Entry<K, R>>, Option<Box<Place<R>>>) {
        let is_idle_known = self.common.spans().tti < u64::MAX;
        let place = self.link.get().and_then(|it| it.place(&key, tags.clone()));
        let mut marks = self.common.tags.marks(tags);
        if let Some(place) = &place {
            let address = self.common.addresses.marks(vec![Tag::from(&*place.address.key)]);
            marks = marks.into_iter().chain(address).collect();
        }
        let life = Life::new(self.common.epoch(), marks, is_idle_known);
        (Entry::new(hash, key, life, self.graveyard.clone()), place.map(Box::new))
    }

    /// The way to the store that processes share.
    pub(super) fn link(&self) -> Option<&Link<K, R>> {
        self.link.get()
    }

    /// From now on, processes have the entries in common.
    pub(super) fn set_link(&self, make: impl FnOnce() -> Link<K, R>) {
        self.link.get_or_init(make);
    }

    /// Stores a value in the entry of its fill, unless it was invalidated since the fill began.
    pub(super) fn store(&self, entry: &Arc<Entry<K, R>>, value: R, weight: u32, stored: Stored, now: Moment) {
        entry.life.fill(now, stored != Stored::Positive);
        // Nobody else writes to the entry of a fill that runs, so there is no other value.
        let other = entry.put(value, weight);
        if self.common.is_current(&entry.life) {
            self.kept.insert(entry.clone(), &self.common, &self.front);
        }
        drop(other);
    }

    /// Forgets a key, and what is being filled for it.
    pub(super) fn invalidate<Q: Hash>(&self, key: &Q)
    where
        K: PartialEq<Q>,
    {
        let hash = self.common.hash(key);
        // First what is being filled: when it is no longer there, it is among what is kept.
        for flight in self.flights.of(hash) {
            if flight.entry.key().is_some_and(|it| it == key) {
                flight.entry.life.kill();
            }
        }
        let kept = self.kept.get(hash).filter(|it| it.key().is_some_and(|it| *it == *key));
        if let Some(entry) = kept {
            entry.life.kill();
            self.kept.remove(hash);
        }
        self.bury();
    }

    /// Lets the next call of a key begin a refresh.
    pub(super) fn want_anew<Q: Hash>(&self, key: &Q)
    where
        K: PartialEq<Q>,
    {
        let kept = self.kept.get(self.common.hash(key)).filter(|it| it.key().is_some_and(|it| *it == *key));
        if let Some(entry) = kept {
            entry.life.want_anew();
        }
    }

    /// Runs the destructors of what was dropped in the meantime. To be called without any lock.
    pub(super) fn bury(&self) {
        self.graveyard.bury();
    }
}

/// A table without its types.
pub(super) trait AnyTable: Any + fmt::Debug + Send + Sync {
    /// The table, for whoever knows its types.
    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
    /// Forgets all entries. Whoever calls it then begins a new epoch.
    fn clear(&self);
    /// Goes on with the settings in force.
    fn rebuild(&self);
    /// How many entries there are, and what they weigh together.
    fn size(&self) -> (u64, u64);
    /// How many fills run.
    fn running(&self) -> usize;
    /// Hits of the front table.
    fn hits(&self) -> u64;
}

impl<K, R> AnyTable for Table<K, R>
where
    K: Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }

    fn clear(&self) {
        self.front.clear();
        self.kept.clear(&self.common, &self.front);
        self.bury();
    }

    fn rebuild(&self) {
        self.front.resize(self.common.settings().capacity);
        self.kept.rebuild(&self.common, &self.front);
        self.bury();
    }

    fn size(&self) -> (u64, u64) {
        self.kept.size()
    }

    fn running(&self) -> usize {
        self.flights.len()
    }

    fn hits(&self) -> u64 {
        self.front.hits()
    }
}

impl<K, R> fmt::Debug for Table<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("flights", &self.flights).finish_non_exhaustive()
    }
}
