//! A limit for each key: a table of bounded size, in shards, that forgets what is unused.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasherDefault, Hasher},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use parking_lot::Mutex;

use crate::domain::{Exceeded, LimitKey, LimitPlan, LimitState, LimitUsage, Moment};

/// Into how many shards the largest tables are cut.
const MOST_SHARDS: u32 = 128;
/// A shard is for so many keys at least, so that chance fills them about alike.
const LEAST_KEYS: u32 = 256;
/// A shard is swept so often, in nanoseconds, while there are calls: all of them in 6.4 s.
const SWEEP_EVERY: u64 = 50_000_000;

/// The limits of all keys.
pub(super) struct Table {
    shards: Box<[Shard]>,
    /// When the next shard is swept, and which.
    sweep_at: AtomicU64,
    next: AtomicUsize,
}

/// On cache lines of its own: threads that use other keys do not meet here.
#[repr(align(128))]
struct Shard(Mutex<Keys>);

struct Keys {
    plan: LimitPlan,
    /// How many there may be.
    most: usize,
    known: HashMap<LimitKey, Known, BuildHasherDefault<ByKey>>,
    /// The latest time a call came with: a clock that goes back stays there, also for keys that were forgotten.
    latest: Moment,
    /// How many were forgotten that were in use.
    forgotten: u64,
}

struct Known {
    usage: LimitUsage,
    /// The key's text, as far as it is shown.
    text: Option<Box<str>>,
}

/// What a key was answered.
pub(super) struct Answer {
    pub(super) taken: Result<(), Exceeded>,
    /// Whether the key comes near its limit, and its text is not known yet.
    pub(super) wants_text: bool,
}

/// A key that is near its limit.
#[derive(Debug, serde::Serialize)]
pub(super) struct Near {
    /// Its text.
    key: Box<str>,
    /// How much of its limit is used: 1 is all of it.
    used: f64,
}

impl Table {
    pub(super) fn new(plan: &LimitPlan, capacity: u32) -> Self {
        let shards = (capacity / LEAST_KEYS).clamp(1, MOST_SHARDS).next_power_of_two().min(MOST_SHARDS);
        let most = most(capacity, shards as usize);
        let shard = || Shard(Mutex::new(Keys::new(plan.clone(), most)));
        Self { shards: (0..shards).map(|_| shard()).collect(), sweep_at: AtomicU64::new(0), next: AtomicUsize::new(0) }
    }

    /// Takes `cost` for `key`, or nothing.
    pub(super) fn take(&self, key: LimitKey, cost: u32, now: Moment) -> Answer {
        self.sweep_sometimes(now);
        self.shard(key).lock().take(key, cost, now)
    }

    /// How the limit of a key stands.
    pub(super) fn state(&self, key: LimitKey, now: Moment) -> LimitState {
        self.shard(key).lock().state(key, now)
    }

    /// Gives back what a key took.
    pub(super) fn give_back(&self, key: LimitKey, cost: u32, now: Moment) {
        self.shard(key).lock().give_back(key, cost, now);
    }

    /// Forgets what a key used.
    pub(super) fn forget(&self, key: LimitKey) {
        self.shard(key).lock().known.remove(&key);
    }

    /// Remembers the text of a key, if the key is still known.
    pub(super) fn note(&self, key: LimitKey, text: Box<str>) {
        if let Some(known) = self.shard(key).lock().known.get_mut(&key) {
            known.text = Some(text);
        }
    }

    /// From now on by this plan, for so many keys.
    pub(super) fn adopt(&self, plan: &LimitPlan, capacity: u32, now: Moment) {
        let most = most(capacity, self.shards.len());
        self.each(|keys| keys.adopt(plan, most, now));
    }

    /// Nothing is used any more.
    pub(super) fn clear(&self) {
        self.each(|keys| {
            keys.known.clear();
            keys.known.shrink_to_fit();
        });
    }

    /// Forgets what is unused; answers with how many keys are in use, and how many were forgotten in use.
    pub(super) fn counts(&self, now: Moment) -> (usize, u64) {
        let (mut in_use, mut forgotten) = (0, 0);
        self.each(|keys| {
            keys.sweep(now);
            in_use += keys.known.len();
            forgotten += keys.forgotten;
        });
        (in_use, forgotten)
    }

    /// Starts to count those that are forgotten anew.
    pub(super) fn reset_counts(&self) {
        self.each(|keys| keys.forgotten = 0);
    }

    /// The keys that have used most of their limits, at most `count` of those that used half of them at some time.
    pub(super) fn nearest(&self, count: usize, now: Moment) -> Vec<Near> {
        let mut nearest: Vec<(u32, Box<str>)> = Vec::new();
        self.each(|keys| {
            nearest.extend(keys.with_text(now));
            nearest.sort_unstable_by(|a, b| b.cmp(a));
            nearest.truncate(count);
        });
        nearest.into_iter().map(|(share, key)| Near { key, used: f64::from(share) / 1_000.0 }).collect()
    }

    fn shard(&self, key: LimitKey) -> &Mutex<Keys> {
        // The table inside the shard uses the lower bits.
        let upper = (key.0 >> 64) as usize;
        &self.shards[upper & (self.shards.len() - 1)].0
    }

    fn each(&self, mut act: impl FnMut(&mut Keys)) {
        for shard in &self.shards {
            act(&mut shard.0.lock());
        }
    }

    /// One caller in a while sweeps one shard, so that memory comes back after many keys were seen.
    fn sweep_sometimes(&self, now: Moment) {
        let (due, now_nanos) = (self.sweep_at.load(Ordering::Relaxed), now.as_nanos());
        if now_nanos < due {
            return;
        }
        let next = now_nanos.saturating_add(SWEEP_EVERY);
        if self.sweep_at.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let which = self.next.fetch_add(1, Ordering::Relaxed) & (self.shards.len() - 1);
            // Not worth waiting for.
            if let Some(mut keys) = self.shards[which].0.try_lock() {
                keys.sweep(now);
            }
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

/// How many keys a shard may hold.
fn most(capacity: u32, shards: usize) -> usize {
    (usize::try_from(capacity).unwrap_or(usize::MAX) / shards).max(1)
}

impl Keys {
    fn new(plan: LimitPlan, most: usize) -> Self {
        Self { plan, most, known: HashMap::default(), latest: Moment::default(), forgotten: 0 }
    }

    fn take(&mut self, key: LimitKey, cost: u32, now: Moment) -> Answer {
        let now = self.reach(now);
        if self.known.len() >= self.most && !self.known.contains_key(&key) {
            self.make_room(now);
        }
        let unused = || Known { usage: self.plan.unused(), text: None };
        let known = self.known.entry(key).or_insert_with(unused);
        let taken = self.plan.take(&mut known.usage, cost, now);
        let wants_text = known.text.is_none() && self.plan.is_half_used(&known.usage, now);
        Answer { taken, wants_text }
    }

    fn state(&mut self, key: LimitKey, now: Moment) -> LimitState {
        let now = self.reach(now);
        match self.known.get_mut(&key) {
            Some(known) => self.plan.state(&mut known.usage, now),
            None => self.plan.state(&mut self.plan.unused(), now),
        }
    }

    fn give_back(&mut self, key: LimitKey, cost: u32, now: Moment) {
        let now = self.reach(now);
        if let Some(known) = self.known.get_mut(&key) {
            self.plan.give_back(&mut known.usage, cost, now);
        }
    }

    fn adopt(&mut self, plan: &LimitPlan, most: usize, now: Moment) {
        let now = self.reach(now);
        for known in self.known.values_mut() {
            let usage = std::mem::replace(&mut known.usage, plan.unused());
            known.usage = plan.adopt(&self.plan, usage, now);
        }
        (self.plan, self.most) = (plan.clone(), most);
        while self.known.len() > most {
            self.make_room(now);
        }
    }

    /// The time of the call: never before that of an earlier one.
    fn reach(&mut self, now: Moment) -> Moment {
        self.latest = self.latest.max(now);
        self.latest
    }

    fn sweep(&mut self, now: Moment) {
        let now = self.reach(now);
        let plan = &self.plan;
        self.known.retain(|_, it| !plan.is_unused(&it.usage, now));
        // Its capacity says nothing of its size: places of what was removed count as taken. This does nothing to a map that fits.
        self.known.shrink_to(2 * self.known.len());
    }

    /// Forgets what is unused. If that is nearly nothing, an eighth of the keys goes that have used the least of their limits.
    fn make_room(&mut self, now: Moment) {
        self.sweep(now);
        let (before, plan) = (self.known.len(), &self.plan);
        let fewer = self.most - self.most.div_ceil(8);
        if before <= fewer {
            return;
        }
        let mut excess = before - fewer;
        let mut shares: Vec<_> = self.known.values().map(|it| plan.share(&it.usage, now)).collect();
        let (_, threshold, _) = shares.select_nth_unstable(excess - 1);
        let threshold = *threshold;
        self.known.retain(|_, it| {
            let goes = excess > 0 && plan.share(&it.usage, now) <= threshold;
            excess -= usize::from(goes);
            !goes
        });
        self.forgotten += (before - self.known.len()) as u64;
        // Places of what was removed are not used again at once, so the map grows beyond what it needs; this undoes it.
        self.known.shrink_to(self.most);
    }

    fn with_text(&self, now: Moment) -> impl Iterator<Item = (u32, Box<str>)> {
        let now = now.max(self.latest);
        self.known.values().filter_map(move |it| Some((self.plan.share(&it.usage, now), it.text.clone()?)))
    }
}

/// The lower bits of a key: they are as good as any hash of it.
#[derive(Default)]
struct ByKey(u64);

impl Hasher for ByKey {
    fn write(&mut self, _: &[u8]) {}

    fn write_u128(&mut self, key: u128) {
        self.0 = key as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
