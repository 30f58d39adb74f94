use std::{collections::HashMap, time::Duration};

use super::lanes::Lanes;
use crate::{
    domain::{Counts, Name, QuotaState, TaskStatus, Timestamp},
    ports::QueueSettings,
};

/// Over how long departures are counted.
const WINDOW: Duration = Duration::from_secs(10);
const SHORTEST_HINT: Duration = Duration::from_secs(1);
const LONGEST_HINT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Queue {
    pub(super) name: Name,
    pub(super) settings: QueueSettings,
    pub(super) paused: bool,
    pub(super) counts: Counts,
    pub(super) lanes: Lanes,
    pub(super) quota: QuotaState,
    /// Finished tasks whose bodies still run.
    pub(super) lingering: usize,
    departures: Departures,
}

impl Queue {
    fn new(name: Name) -> Self {
        Self {
            name,
            settings: QueueSettings::default(),
            paused: false,
            counts: Counts::default(),
            lanes: Lanes::default(),
            quota: QuotaState::default(),
            lingering: 0,
            departures: Departures::default(),
        }
    }

    /// How many more may run now.
    pub(super) fn room(&self) -> usize {
        let running = usize::try_from(self.counts.get(TaskStatus::Running)).unwrap_or(usize::MAX) + self.lingering;
        self.settings.concurrency.map_or(usize::MAX, |limit| limit.saturating_sub(running))
    }

    pub(super) fn ready(&self) -> usize {
        usize::try_from(self.counts.get(TaskStatus::Pending)).unwrap_or(usize::MAX)
    }

    /// Whether a further task, after `more` others, would be one too many.
    pub(super) fn is_full(&self, more: usize) -> bool {
        let waiting = usize::try_from(self.counts.queued()).unwrap_or(usize::MAX);
        self.settings.max_depth.is_some_and(|max| waiting.saturating_add(more) >= max)
    }

    pub(super) fn departed(&mut self, count: u32, now: Timestamp) {
        self.departures.add(count, now);
    }

    /// How long it takes, as of late, until one place becomes free.
    pub(super) fn retry_after(&self, now: Timestamp) -> Duration {
        self.departures.interval(now).clamp(SHORTEST_HINT, LONGEST_HINT)
    }
}

/// How many tasks left a queue in the present window and the one before it.
#[derive(Debug, Default)]
struct Departures {
    began: Timestamp,
    now: u32,
    before: u32,
}

impl Departures {
    fn add(&mut self, count: u32, now: Timestamp) {
        let age = now.since(self.began);
        if age >= WINDOW {
            self.before = if age < 2 * WINDOW { self.now } else { 0 };
            self.now = 0;
            self.began = now;
        }
        self.now = self.now.saturating_add(count);
    }

    fn interval(&self, now: Timestamp) -> Duration {
        let age = now.since(self.began);
        match self.now + self.before {
            0 => LONGEST_HINT,
            _ if age > 2 * WINDOW => LONGEST_HINT,
            count => (age + WINDOW) / count,
        }
    }
}

/// All queues, by a small number and by name.
#[derive(Debug, Default)]
pub(super) struct Queues {
    all: Vec<Queue>,
    by_name: HashMap<Name, u32>,
    last: u32,
}

impl Queues {
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        match self.all.get(self.last as usize) {
            Some(last) if last.name == *name => Some(self.last),
            _ => self.by_name.get(name).copied(),
        }
    }

    /// The same, and it is the first to be looked at from now on.
    pub(super) fn find_often(&mut self, name: &str) -> Option<u32> {
        let number = self.find(name)?;
        self.last = number;
        Some(number)
    }

    pub(super) fn intern(&mut self, name: &Name) -> u32 {
        self.find_often(name).unwrap_or_else(|| self.add(name))
    }

    /// Adds a queue that is not known yet.
    #[allow(clippy::cast_possible_truncation, reason = "memory ends long before 2^32 queues")]
    pub(super) fn add(&mut self, name: &Name) -> u32 {
        let number = self.all.len() as u32;
        self.all.push(Queue::new(name.clone()));
        self.by_name.insert(name.clone(), number);
        self.last = number;
        number
    }

    pub(super) fn at(&self, number: u32) -> &Queue {
        &self.all[number as usize]
    }

    pub(super) fn at_mut(&mut self, number: u32) -> &mut Queue {
        &mut self.all[number as usize]
    }

    /// Whether some queue takes no more than so many.
    pub(super) fn are_bounded(&self) -> bool {
        self.all.iter().any(|it| it.settings.max_depth.is_some())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Queue> {
        self.all.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Queue> {
        self.all.iter_mut()
    }
}
