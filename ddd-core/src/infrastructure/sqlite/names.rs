use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{Outcome, corrupt};
use crate::{
    domain::{Name, QuotaState, Timestamp},
    infrastructure::sql::{json_of, json_text},
    ports::QueueSettings,
};

/// Queues and kinds (names and versions of tasks) by their numbers. What was read stays, because no number is ever given anew.
#[derive(Debug, Default)]
pub(super) struct Names {
    queues: HashMap<Name, i64>,
    queue_names: HashMap<i64, Name>,
    kinds: HashMap<(Name, u32), i64>,
    kind_names: HashMap<i64, (Name, u32)>,
    last_queue: Option<(Name, i64)>,
    last_kind: Option<(Name, u32, i64)>,
}

/// What a queue is told to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queue {
    pub(super) settings: QueueSettings,
    pub(super) paused: bool,
    pub(super) quota: QuotaState,
}

impl Names {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The number of a queue, which is made if it is new.
    pub(super) fn queue(&mut self, db: &Connection, name: &Name) -> Outcome<i64> {
        if let Some(number) = self.find_queue(db, name)? {
            return Ok(number);
        }
        db.prepare_cached("INSERT INTO ddd_queue (name) VALUES (?1)")?.execute([name.as_str()])?;
        let number = db.last_insert_rowid();
        self.learn_queue(name, number);
        Ok(number)
    }

    pub(super) fn find_queue(&mut self, db: &Connection, name: &Name) -> Outcome<Option<i64>> {
        if let Some((last, number)) = &self.last_queue
            && last == name
        {
            return Ok(Some(*number));
        }
        if let Some(number) = self.queues.get(name.as_str()) {
            self.last_queue = Some((name.clone(), *number));
            return Ok(Some(*number));
        }
        let mut find = db.prepare_cached("SELECT number FROM ddd_queue WHERE name = ?1")?;
        let number = find.query_row([name.as_str()], |row| row.get(0)).optional()?;
        if let Some(number) = number {
            self.learn_queue(name, number);
        }
        Ok(number)
    }

    fn learn_queue(&mut self, name: &Name, number: i64) {
        self.queues.insert(name.clone(), number);
        self.queue_names.insert(number, name.clone());
        self.last_queue = Some((name.clone(), number));
    }

    pub(super) fn queue_name(&mut self, db: &Connection, number: i64) -> Outcome<Name> {
        if let Some(name) = self.queue_names.get(&number) {
            return Ok(name.clone());
        }
        let mut find = db.prepare_cached("SELECT name FROM ddd_queue WHERE number = ?1")?;
        let name: Option<String> = find.query_row([number], |row| row.get(0)).optional()?;
        let name = Name::from(name.ok_or_else(|| corrupt(format!("queue {number} has no name")))?);
        self.learn_queue(&name, number);
        Ok(name)
    }

    /// The number of a kind, which is made if it is new.
    pub(super) fn kind(&mut self, db: &Connection, name: &Name, version: u32) -> Outcome<i64> {
        if let Some((last, of, number)) = &self.last_kind
            && *of == version
            && last == name
        {
            return Ok(*number);
        }
        let key = (name.clone(), version);
        if let Some(number) = self.kinds.get(&key).copied() {
            self.last_kind = Some((key.0, version, number));
            return Ok(number);
        }
        let mut find = db.prepare_cached("SELECT number FROM ddd_kind WHERE name = ?1 AND version = ?2")?;
        let number = match find.query_row(params![name.as_str(), version], |row| row.get(0)).optional()? {
            Some(number) => number,
            None => {
                let mut insert = db.prepare_cached("INSERT INTO ddd_kind (name, version) VALUES (?1, ?2)")?;
                insert.execute(params![name.as_str(), version])?;
                db.last_insert_rowid()
            }
        };
        self.learn_kind(key, number);
        Ok(number)
    }

    fn learn_kind(&mut self, kind: (Name, u32), number: i64) {
        self.kinds.insert(kind.clone(), number);
        self.last_kind = Some((kind.0.clone(), kind.1, number));
        self.kind_names.insert(number, kind);
    }

    pub(super) fn kind_name(&mut self, db: &Connection, number: i64) -> Outcome<(Name, u32)> {
        if let Some(kind) = self.kind_names.get(&number) {
            return Ok(kind.clone());
        }
        let mut find = db.prepare_cached("SELECT name, version FROM ddd_kind WHERE number = ?1")?;
        let found = find.query_row([number], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?))).optional()?;
        let (name, version) = found.ok_or_else(|| corrupt(format!("kind {number} has no name")))?;
        let kind = (Name::from(name), version);
        self.learn_kind(kind.clone(), number);
        Ok(kind)
    }
}

/// What the file says of a queue.
pub(super) fn read_queue(db: &Connection, number: i64) -> Outcome<Queue> {
    let mut find = db.prepare_cached("SELECT settings, paused, quota FROM ddd_queue WHERE number = ?1")?;
    let row = find
        .query_row([number], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get::<_, i64>(2)?)))
        .optional()?;
    let (settings, paused, quota) = row.ok_or_else(|| corrupt(format!("queue {number} is not there")))?;
    Ok(Queue { settings: settings_of(&settings)?, paused, quota: QuotaState::of(Timestamp::from_micros(quota)) })
}

/// The settings that a column holds; an empty object stands for none.
pub(super) fn settings_of(text: &str) -> Outcome<QueueSettings> {
    if text == "{}" { Ok(QueueSettings::new()) } else { Ok(json_of(text)?) }
}

pub(super) fn settings_text(settings: &QueueSettings) -> Outcome<String> {
    if *settings == QueueSettings::new() { Ok("{}".to_owned()) } else { Ok(json_text(settings)?) }
}
