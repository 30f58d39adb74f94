use std::collections::HashMap;

use foldhash::fast::RandomState;
use rusqlite::{Connection, params};

use super::error::Outcome;
use crate::{
    domain::{TaskStatus, Timestamp},
    infrastructure::sql::{FINISHED, LINGERING, status_code},
};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    queue: i64,
    what: i64,
    kind: i64,
    priority: i64,
}

/// Where a task is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) queue: i64,
    pub(super) kind: i64,
    pub(super) priority: i64,
}

/// How figures change in one transaction: written once at its end, however many tasks it is about.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    deltas: HashMap<Key, i64, RandomState>,
    ended: HashMap<(i64, i64), i64, RandomState>,
    /// What the present request changed, so that it can be taken back.
    log: Vec<(Key, i64)>,
    ended_log: Vec<(i64, i64)>,
}

impl Tallies {
    pub(super) fn clear(&mut self) {
        self.deltas.clear();
        self.ended.clear();
        self.keep();
    }

    /// The present request is done; the next one begins.
    pub(super) fn keep(&mut self) {
        self.log.clear();
        self.ended_log.clear();
    }

    /// Takes back what the present request changed.
    pub(super) fn roll_back(&mut self) {
        for (key, delta) in self.log.drain(..) {
            *self.deltas.entry(key).or_default() -= delta;
        }
        for key in self.ended_log.drain(..) {
            *self.ended.entry(key).or_default() -= 1;
        }
    }

    pub(super) fn add(&mut self, place: Place, what: i64, delta: i64) {
        let key = Key { queue: place.queue, what, kind: place.kind, priority: place.priority };
        *self.deltas.entry(key).or_default() += delta;
        self.log.push((key, delta));
    }

    /// A run ended so.
    pub(super) fn ended(&mut self, place: Place, status: TaskStatus, now: Timestamp) {
        let code = status_code(status);
        self.add(place, FINISHED + code, 1);
        let key = (now.as_micros().div_euclid(1_000_000), code);
        *self.ended.entry(key).or_default() += 1;
        self.ended_log.push(key);
    }

    /// How many tasks of a queue are in a status, those of this transaction included.
    pub(super) fn count(&self, db: &Connection, queue: i64, what: i64) -> Outcome<i64> {
        let mut sum = db.prepare_cached("SELECT coalesce(sum(n), 0) FROM ddd_tally WHERE queue = ?1 AND what = ?2")?;
        let stored: i64 = sum.query_row([queue, what], |row| row.get(0))?;
        let since: i64 =
            self.deltas.iter().filter(|(key, _)| key.queue == queue && key.what == what).map(|(_, delta)| delta).sum();
        Ok(stored + since)
    }

    /// How many tasks of a queue wait: the codes of those statuses come first.
    pub(super) fn queued(&self, db: &Connection, queue: i64) -> Outcome<usize> {
        let mut sum = db.prepare_cached("SELECT coalesce(sum(n), 0) FROM ddd_tally WHERE queue = ?1 AND what < ?2")?;
        let first = status_code(TaskStatus::Running);
        let stored: i64 = sum.query_row([queue, first], |row| row.get(0))?;
        let is_meant = |key: &Key| key.queue == queue && key.what < first;
        let since: i64 = self.deltas.iter().filter(|(key, _)| is_meant(key)).map(|(_, delta)| delta).sum();
        Ok(usize::try_from(stored + since).unwrap_or_default())
    }

    /// How many bodies of a queue run.
    pub(super) fn occupied(&self, db: &Connection, queue: i64) -> Outcome<usize> {
        let running = self.count(db, queue, status_code(TaskStatus::Running))? + self.count(db, queue, LINGERING)?;
        Ok(usize::try_from(running).unwrap_or_default())
    }

    /// Writes everything.
    pub(super) fn flush(&mut self, db: &Connection) -> Outcome<()> {
        self.keep();
        let mut add = db.prepare_cached(
            "INSERT INTO ddd_tally (queue, what, kind, priority, n) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT DO UPDATE SET n = n + excluded.n",
        )?;
        for (key, delta) in self.deltas.drain().filter(|(_, delta)| *delta != 0) {
            add.execute(params![key.queue, key.what, key.kind, key.priority, delta])?;
        }
        let mut add = db.prepare_cached(
            "INSERT INTO ddd_ended (second, status, n) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO UPDATE SET n = n + excluded.n",
        )?;
        for ((second, status), delta) in self.ended.drain().filter(|(_, delta)| *delta != 0) {
            add.execute(params![second, status, delta])?;
        }
        Ok(())
    }
}
