use std::{collections::HashMap, sync::Arc};

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    error::Outcome,
    known::Known,
    names::{Names, Queue, read_queue},
    row::{self, Row, id_bytes},
    tallies::Tallies,
};
use crate::{
    domain::{AttemptError, Name, TaskId, TaskStatus, Timestamp, WorkerId, truncated},
    infrastructure::sql::{Departures, Effects, LINGERING, status_code},
    ports::StoreSettings,
};

/// What a writer remembers: of its present transaction, and, as far as it cannot become wrong, from one to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) settings: Arc<StoreSettings>,
    pub(super) now: Timestamp,
    pub(super) names: Names,
    pub(super) tallies: Tallies,
    pub(super) fx: Effects,
    /// The queues as far as this transaction has read them.
    pub(super) queues: HashMap<i64, Queue>,
    pub(super) departures: HashMap<i64, Departures>,
    pub(super) known: HashMap<WorkerId, Known>,
}

impl Memory {
    /// Forgets what a transaction that did not take place has left behind.
    pub(super) fn clear(&mut self) {
        self.names.clear();
        self.tallies.clear();
        self.fx.clear();
        self.queues.clear();
        self.known.clear();
    }
}

/// One request within a transaction. A change of a task's status is always [`Session::become_`], then what else changes, then
/// [`Session::settle`].
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) db: &'a Connection,
    pub(super) memory: &'a mut Memory,
}

impl Session<'_> {
    pub(super) fn now(&self) -> Timestamp {
        self.memory.now
    }

    pub(super) fn load(&mut self, id: TaskId) -> Outcome<Option<Row>> {
        row::load(self.db, &mut self.memory.names, id)
    }

    /// The queue as it is, read once in a transaction.
    pub(super) fn queue(&mut self, number: i64) -> Outcome<Queue> {
        if let Some(queue) = self.memory.queues.get(&number) {
            return Ok(*queue);
        }
        let queue = read_queue(self.db, number)?;
        self.memory.queues.insert(number, queue);
        Ok(queue)
    }

    pub(super) fn queue_name(&mut self, number: i64) -> Outcome<Name> {
        self.memory.names.queue_name(self.db, number)
    }

    /// Tells that so many tasks of a queue became ready; zero asks for a look for another reason.
    pub(super) fn ready(&mut self, queue: i64, count: usize) -> Outcome<()> {
        let name = self.queue_name(queue)?;
        self.memory.fx.ready(&name, count);
        Ok(())
    }

    /// The one function that changes a status: by the table, with its figures and its transition.
    pub(super) fn become_(&mut self, row: &mut Row, to: TaskStatus) -> Outcome<()> {
        let (from, now, place) = (row.record.status, self.now(), row.place());
        row.record.status.become_(to)?;
        self.memory.fx.record(&row.record, Some(from), now);
        self.memory.tallies.add(place, status_code(from), -1);
        self.memory.tallies.add(place, status_code(to), 1);
        if to.is_terminal() {
            self.memory.tallies.ended(place, to, now);
        }
        match to {
            TaskStatus::Pending => self.ready(row.queue, 1)?,
            // A worker that sleeps until the next due time has to look again.
            TaskStatus::Delayed | TaskStatus::Retrying => self.ready(row.queue, 0)?,
            _ => {}
        }
        Ok(())
    }

    /// Writes a row whose status has changed, and does what follows from it: permits and unique keys are freed.
    pub(super) fn settle(&mut self, row: &mut Row, from: TaskStatus) -> Outcome<()> {
        let to = row.record.status;
        let keeps_permit = matches!(to, TaskStatus::Pending | TaskStatus::Running) || row.record.still_running;
        let gives_back = row.holds_permit && !keeps_permit;
        row.holds_permit &= keeps_permit;
        row.save(self.db)?;
        if gives_back && let Some(key) = row.concurrency_key() {
            self.admit(key)?;
        }
        if to.is_terminal()
            && !from.is_terminal()
            && row.frees_unique
            && let Some(key) = row.unique_key()
        {
            self.free_unique(key, row.record.id)?;
        }
        Ok(())
    }

    /// A task goes where its new status says.
    pub(super) fn arrive(&mut self, row: &mut Row, to: TaskStatus) -> Outcome<()> {
        let from = row.record.status;
        self.become_(row, to)?;
        self.settle(row, from)
    }

    /// Makes a task ready, if its time has come and its key has a permit for it; else it waits for them.
    pub(super) fn arrive_when_ready(&mut self, row: &mut Row) -> Outcome<()> {
        let to = self.status_when_ready(row)?;
        self.arrive(row, to)
    }

    /// Where a task goes that waits for nothing but its time and its permit. Takes the permit.
    pub(super) fn status_when_ready(&mut self, row: &mut Row) -> Outcome<TaskStatus> {
        if row.record.due > self.now() {
            return Ok(TaskStatus::Delayed);
        }
        let Some(label) = &row.record.label else { return Ok(TaskStatus::Pending) };
        if label.concurrency_key.is_none() || row.holds_permit {
            return Ok(TaskStatus::Pending);
        }
        row.holds_permit = self.has_permit(label)?;
        Ok(if row.holds_permit { TaskStatus::Pending } else { TaskStatus::Blocked })
    }

    /// A task leaves its worker: whether it holds a slot or not is counted, and who waits for room is told.
    pub(super) fn vacate(&mut self, row: &Row) -> Outcome<()> {
        if row.record.status.is_terminal() {
            self.memory.tallies.add(row.place(), LINGERING, -1);
        }
        self.tell_of_room(row.queue)
    }

    /// In a queue that lets only some run, an end makes room.
    pub(super) fn tell_of_room(&mut self, queue: i64) -> Outcome<()> {
        if self.queue(queue)?.settings.concurrency.is_some()
            && self.memory.tallies.count(self.db, queue, status_code(TaskStatus::Pending))? > 0
        {
            self.ready(queue, 1)?;
        }
        Ok(())
    }

    /// Notes why an attempt ended.
    pub(super) fn note_error(&self, row: &mut Row, mut error: AttemptError) {
        error.message = truncated(error.message, self.memory.settings.limits.error);
        (error.run, error.attempt, error.at) = (row.record.run, row.record.attempt, self.now());
        row.record.push_error(error);
    }

    /// The status of a task, if it is there.
    pub(super) fn status(&self, id: TaskId) -> Outcome<Option<TaskStatus>> {
        let mut find = self.db.prepare_cached("SELECT status FROM ddd_task WHERE id = ?1")?;
        let code: Option<i64> = find.query_row(params![id_bytes(id)], |row| row.get(0)).optional()?;
        Ok(code.and_then(crate::infrastructure::sql::status_of))
    }
}
