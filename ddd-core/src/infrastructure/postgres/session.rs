use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use sqlx::PgConnection;

use super::{core::Core, error::Outcome, notice::Cancelled, permit::Permit, row::Row, tallies::Tallies};
use crate::{
    domain::{AttemptError, Name, TaskId, TaskStatus, Timestamp, truncated},
    infrastructure::sql::Effects,
    ports::StoreSettings,
};

/// One transaction: rows are loaded, changed here, and saved together at its end, so that a batch costs few round trips. A change
/// of a task's status is always [`Session::become_`], then what else changes, then [`Session::settle`].
#[derive(Debug)]
pub(super) struct Session<'c> {
    pub(super) conn: &'c mut PgConnection,
    pub(super) core: Arc<Core>,
    pub(super) settings: Arc<StoreSettings>,
    pub(super) now: Timestamp,
    pub(super) fx: Effects,
    /// Running tasks that were cancelled, wherever they run.
    pub(super) cancelled: Vec<Cancelled>,
    pub(super) tallies: Tallies,
    /// The rows that this transaction holds, less the one that is being changed.
    pub(super) rows: BTreeMap<TaskId, Row>,
    /// Which of them have changed.
    pub(super) changed: Vec<TaskId>,
    /// Which of them are to be dropped.
    pub(super) dropped: Vec<TaskId>,
    /// Unique keys that are free from now on, with who held them.
    pub(super) freed: Vec<(String, TaskId)>,
    /// The concurrency keys that this transaction has locked.
    pub(super) permits: HashMap<String, Permit>,
    /// The queues with limits, as far as ends of attempts must know.
    pub(super) limited: HashSet<i32>,
    /// Kinds that were numbered in this transaction, and would be gone with it.
    pub(super) own_kinds: HashMap<(Name, u32), i32>,
}

impl<'c> Session<'c> {
    pub(super) fn new(conn: &'c mut PgConnection, core: Arc<Core>, now: Timestamp) -> Self {
        let fx = Effects { is_heard: core.are_transitions_wanted(), ..Effects::default() };
        Self {
            conn,
            settings: core.settings(),
            core,
            now,
            fx,
            cancelled: Vec::new(),
            tallies: Tallies::default(),
            rows: BTreeMap::new(),
            changed: Vec::new(),
            dropped: Vec::new(),
            freed: Vec::new(),
            permits: HashMap::new(),
            limited: HashSet::new(),
            own_kinds: HashMap::new(),
        }
    }

    /// Takes a row out to change it; [`Session::put`] gives it back.
    pub(super) fn take(&mut self, id: TaskId) -> Option<Row> {
        self.rows.remove(&id)
    }

    /// Gives a row back, changed.
    pub(super) fn put(&mut self, row: Row) {
        self.changed.push(row.record.id);
        self.rows.insert(row.record.id, row);
    }

    /// Gives a row back as it was.
    pub(super) fn put_back(&mut self, row: Row) {
        self.rows.insert(row.record.id, row);
    }

    /// The one function that changes a status: by the table, with its figures and its transition.
    pub(super) fn become_(&mut self, row: &mut Row, to: TaskStatus) -> Outcome<()> {
        let from = row.record.status;
        if from == to {
            return Ok(());
        }
        row.record.status.become_(to)?;
        self.fx.record(&row.record, Some(from), self.now);
        self.tallies.went(row, Some(from), Some(to));
        let queue = &row.record.queue;
        match to {
            TaskStatus::Pending => self.fx.ready(queue, 1),
            // A worker that sleeps until the next due time has to look again.
            TaskStatus::Delayed | TaskStatus::Retrying => self.fx.ready(queue, 0),
            _ if to.is_terminal() => self.fx.ended.push((row.record.id, to, row.record.result.clone())),
            _ => {}
        }
        Ok(())
    }

    /// Does what follows from a change of status: permits and unique keys are freed.
    pub(super) fn settle(&mut self, row: &mut Row, from: TaskStatus) -> Outcome<()> {
        let to = row.record.status;
        let keeps_permit = matches!(to, TaskStatus::Pending | TaskStatus::Running) || row.record.still_running;
        if row.holds_permit && !keeps_permit {
            row.holds_permit = false;
            if let Some(key) = row.concurrency_key() {
                let key = key.to_owned();
                self.give_back(&key)?;
            }
        }
        if to.is_terminal()
            && !from.is_terminal()
            && row.frees_unique
            && let Some(key) = row.unique_key()
        {
            self.freed.push((key.to_owned(), row.record.id));
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
        let to = self.status_when_ready(row);
        self.arrive(row, to)
    }

    /// Where a task goes that waits for nothing but its time and its permit. Takes the permit.
    pub(super) fn status_when_ready(&mut self, row: &mut Row) -> TaskStatus {
        if row.record.due > self.now {
            return TaskStatus::Delayed;
        }
        let Some(label) = &row.record.label else { return TaskStatus::Pending };
        if label.concurrency_key.is_none() || row.holds_permit {
            return TaskStatus::Pending;
        }
        row.holds_permit = self.take_permit(label);
        if row.holds_permit { TaskStatus::Pending } else { TaskStatus::Blocked }
    }

    /// Notes why an attempt ended.
    pub(super) fn note_error(&self, row: &mut Row, mut error: AttemptError) {
        error.message = truncated(error.message, self.settings.limits.error);
        (error.run, error.attempt, error.at) = (row.record.run, row.record.attempt, self.now);
        row.record.push_error(error);
    }
}
