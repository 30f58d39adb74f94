//! What a process has to tell the others, until it is sent; and who of them wants to hear what.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::notice::{Cancelled, Writing};
use crate::{
    domain::{Name, TaskId, Transition},
    infrastructure::sql::Effects,
    ports::Attention,
};

/// Who wants to hear of something says so again after this time.
pub(super) const REPEATED: Duration = Duration::from_secs(1);
/// So long after that was said last nobody does.
const BELIEVED: Duration = Duration::from_millis(3_500);
/// So many of each wait at most. Beyond that, cancellations are found by heartbeats, ends by looks at records, and subscribers are
/// told how many transitions are missing.
const MOST: usize = 2_000;
/// So many bytes of transitions are sent at once.
const MOST_BYTES: usize = 128 * 1_024;

/// What waits to be sent.
#[derive(Debug, Default)]
struct Waiting {
    queues: Vec<Name>,
    cancelled: Vec<Cancelled>,
    ended: Vec<TaskId>,
    attention: Vec<Attention>,
    transitions: Vec<Transition>,
    missed: u64,
}

#[derive(Debug)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    pub(super) is_sending: AtomicBool,
    /// What other processes want to hear.
    others: Times,
    /// What this one has asked for.
    own: Times,
    /// Whether somebody sees to it that others know of subscribers here.
    pub(super) is_asking: AtomicBool,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            is_sending: AtomicBool::new(false),
            others: Times::new(),
            own: Times::new(),
            is_asking: AtomicBool::new(false),
        }
    }

    /// Another process wants to hear of something.
    pub(super) fn attention(&self, to: Attention) {
        self.others.set(to);
    }

    /// Whether another process wants to hear of something.
    pub(super) fn is_wanted(&self, what: Attention) -> bool {
        self.others.is_within(what, BELIEVED)
    }

    /// Takes what a committed transaction led to; whether there is something to send.
    pub(super) fn add(&self, effects: &Effects, cancelled: &[Cancelled]) -> bool {
        let ends = if self.is_wanted(Attention::Ends) { &effects.ended[..] } else { &[] };
        let transitions = if self.is_wanted(Attention::Transitions) { &effects.transitions[..] } else { &[] };
        if effects.ready.is_empty() && cancelled.is_empty() && ends.is_empty() && transitions.is_empty() {
            return false;
        }
        let mut waiting = self.waiting.lock();
        for (queue, _) in &effects.ready {
            if !waiting.queues.contains(queue) {
                waiting.queues.push(queue.clone());
            }
        }
        extend(&mut waiting.cancelled, cancelled.iter().copied());
        extend(&mut waiting.ended, ends.iter().map(|it| it.0));
        let left = extend(&mut waiting.transitions, transitions.iter().cloned());
        waiting.missed += left as u64;
        true
    }

    /// Asks others to tell of something, unless that was said a moment ago; whether there is something to send.
    pub(super) fn ask(&self, to: Attention) -> bool {
        if self.own.is_within(to, REPEATED) {
            return false;
        }
        self.own.set(to);
        self.waiting.lock().attention.push(to);
        true
    }

    /// Nobody knows whether others have heard it.
    pub(super) fn forget_asked(&self) {
        self.own.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        let it = self.waiting.lock();
        it.queues.is_empty()
            && it.cancelled.is_empty()
            && it.ended.is_empty()
            && it.attention.is_empty()
            && it.transitions.is_empty()
            && it.missed == 0
    }

    /// Takes all that waits, in the order in which it is worth knowing, and how many transitions are among it.
    pub(super) fn take(&self, sender: u64) -> (Vec<String>, u64) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        let mut writing = Writing::new(sender);
        waiting.queues.iter().for_each(|it| writing.queue(it));
        waiting.cancelled.iter().for_each(|it| writing.cancelled(it));
        waiting.attention.iter().for_each(|it| writing.attention(*it));
        waiting.ended.iter().for_each(|it| writing.ended(*it));
        let (before, mut missed) = (writing.len(), waiting.missed);
        for it in &waiting.transitions {
            let is_said = writing.len() < before + MOST_BYTES && writing.transition(it);
            missed += u64::from(!is_said);
        }
        if missed > 0 {
            writing.missed(missed);
        }
        (writing.into_texts(), waiting.transitions.len() as u64 + waiting.missed)
    }

    /// So many transitions could not be sent.
    pub(super) fn missed(&self, count: u64) {
        self.waiting.lock().missed += count;
    }
}

/// Takes as many as find place; how many do not.
fn extend<T>(waiting: &mut Vec<T>, mut items: impl Iterator<Item = T>) -> usize {
    let room = MOST.saturating_sub(waiting.len());
    waiting.extend(items.by_ref().take(room));
    items.count()
}

/// When something was said last.
#[derive(Debug)]
struct Times {
    began: Instant,
    /// Milliseconds since then, and one; zero stands for never.
    ends: AtomicU64,
    transitions: AtomicU64,
}

impl Times {
    fn new() -> Self {
        Self { began: Instant::now(), ends: AtomicU64::new(0), transitions: AtomicU64::new(0) }
    }

    fn of(&self, what: Attention) -> &AtomicU64 {
        if what == Attention::Ends { &self.ends } else { &self.transitions }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1).saturating_add(1)
    }

    fn set(&self, what: Attention) {
        self.of(what).store(self.now(), Ordering::Relaxed);
    }

    fn is_within(&self, what: Attention, time: Duration) -> bool {
        // The clock is read only if somebody ever asked.
        let at = self.of(what).load(Ordering::Relaxed);
        at > 0 && u128::from(self.now().saturating_sub(at)) < time.as_millis()
    }

    fn clear(&self) {
        self.ends.store(0, Ordering::Relaxed);
        self.transitions.store(0, Ordering::Relaxed);
    }
}
