//! The ready tasks of a queue, in the order of rank: one lane for each priority, by due time.

use std::{collections::VecDeque, time::Duration};

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    error::Outcome,
    row::{duration, fence, id_bytes, id_of, time},
    session::Session,
    tallies::Place,
};
use crate::domain::{Fence, Priority, Rank, TaskId, Timestamp};

/// At most so many are read at once.
const READ_AT_ONCE: usize = 128;

/// A task that is ready, with what a claim tells of it.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) id: TaskId,
    pub(super) kind: i64,
    pub(super) due: Timestamp,
    pub(super) created_at: Timestamp,
    pub(super) run: u32,
    pub(super) attempt: u32,
    pub(super) max_attempts: u32,
    pub(super) crashes: u32,
    pub(super) timeout: Duration,
    pub(super) fence: Fence,
    pub(super) label: Option<String>,
    /// `None` if they are large.
    pub(super) params: Option<String>,
}

/// A queue that a claim may take from.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) queue: i64,
    pub(super) room: usize,
    pub(super) lanes: Vec<Lane>,
}

/// The ready tasks of one priority, read some at a time.
#[derive(Debug)]
pub(super) struct Lane {
    priority: Priority,
    read: VecDeque<Ready>,
    /// After which it goes on; `None` before the first.
    last: Option<(Timestamp, TaskId)>,
    is_read: bool,
}

impl Lane {
    pub(super) fn pop(&mut self) -> Option<Ready> {
        self.read.pop_front()
    }
}

impl Line {
    pub(super) fn place(&self, lane: usize, kind: i64) -> Place {
        let priority = self.lanes.get(lane).map_or(0, |it| i64::from(it.priority.get()));
        Place { queue: self.queue, kind, priority }
    }
}

/// The priorities in which any task of a queue is ready. Each is found by one look into the index.
pub(super) fn priorities(db: &Connection, queue: i64) -> Outcome<Vec<Priority>> {
    let mut next = db.prepare_cached(
        "SELECT priority FROM ddd_task WHERE status = 0 AND queue = ?1 AND priority > ?2 ORDER BY priority LIMIT 1",
    )?;
    let mut found = Vec::new();
    let mut after = i64::from(Priority::MIN.get()) - 1;
    while let Some(priority) = next.query_row([queue, after], |row| row.get::<_, i8>(0)).optional()? {
        after = i64::from(priority);
        found.push(Priority::clamped(priority));
    }
    Ok(found)
}

impl Session<'_> {
    /// The lanes of a queue in which anything is.
    pub(super) fn lanes(&self, queue: i64) -> Outcome<Vec<Lane>> {
        let lane = |priority| Lane { priority, read: VecDeque::new(), last: None, is_read: false };
        Ok(priorities(self.db, queue)?.into_iter().map(lane).collect())
    }

    /// The line and lane whose head is next; heads that were left to others are passed over.
    pub(super) fn best(&self, lines: &mut [Line], wanted: usize, left: &[TaskId]) -> Outcome<Option<(usize, usize)>> {
        let step = self.memory.settings.rank_step;
        let mut best: Option<((Rank, TaskId), (usize, usize))> = None;
        for (index, line) in lines.iter_mut().enumerate().filter(|(_, it)| it.room > 0) {
            for (number, lane) in line.lanes.iter_mut().enumerate() {
                let Some((due, id)) = self.head(line.queue, lane, wanted.min(line.room), left)? else { continue };
                let order = (Rank::new(due, lane.priority, step), id);
                if best.is_none_or(|it| order < it.0) {
                    best = Some((order, (index, number)));
                }
            }
        }
        Ok(best.map(|it| it.1))
    }

    fn head(
        &self,
        queue: i64,
        lane: &mut Lane,
        wanted: usize,
        left: &[TaskId],
    ) -> Outcome<Option<(Timestamp, TaskId)>> {
        loop {
            match lane.read.front() {
                Some(head) if left.contains(&head.id) => drop(lane.read.pop_front()),
                Some(head) => return Ok(Some((head.due, head.id))),
                None if lane.is_read => return Ok(None),
                None => self.read_on(queue, lane, wanted.clamp(1, READ_AT_ONCE))?,
            }
        }
    }

    fn read_on(&self, queue: i64, lane: &mut Lane, count: usize) -> Outcome<()> {
        let mut find = self.db.prepare_cached(
            "SELECT id, kind, due, created_at, run, attempt, max_attempts, crashes, timeout, fence, label, params \
             FROM ddd_task WHERE status = 0 AND queue = ?1 AND priority = ?2 AND (due, id) > (?3, ?4) \
             ORDER BY due, id LIMIT ?5",
        )?;
        let (due, id) = lane.last.map_or((i64::MIN, [0; 16]), |(due, id)| (due.as_micros(), id_bytes(id)));
        let mut rows = find.query(params![queue, lane.priority.get(), due, id, count])?;
        let before = lane.read.len();
        while let Some(row) = rows.next()? {
            lane.read.push_back(Ready {
                id: id_of(row.get(0)?),
                kind: row.get(1)?,
                due: time(row.get(2)?),
                created_at: time(row.get(3)?),
                run: row.get(4)?,
                attempt: row.get(5)?,
                max_attempts: row.get(6)?,
                crashes: row.get(7)?,
                timeout: duration(row.get(8)?),
                fence: fence(row.get(9)?),
                label: row.get(10)?,
                params: row.get(11)?,
            });
        }
        lane.is_read = lane.read.len() - before < count;
        lane.last = lane.read.back().map(|it| (it.due, it.id)).or(lane.last);
        Ok(())
    }

    pub(super) fn large_params(&self, id: TaskId) -> Outcome<String> {
        let mut find = self.db.prepare_cached("SELECT params FROM ddd_large WHERE id = ?1")?;
        Ok(find.query_row([id_bytes(id)], |row| row.get(0))?)
    }
}
