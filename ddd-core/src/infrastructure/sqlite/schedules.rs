use rusqlite::{OptionalExtension, Row as SqlRow, params};

use super::{error::Outcome, row::time, session::Session};
use crate::{
    domain::{Name, Timestamp},
    infrastructure::sql::raw,
    ports::{Enqueued, ScheduleCommand, ScheduleRecord, StoreError, StoreErrorKind},
};

const COLUMNS: &str = "name, task, params, rule, time_zone, paused, last, next";

fn read(row: &SqlRow<'_>) -> Outcome<ScheduleRecord> {
    let text = |index| row.get::<_, String>(index);
    let at = |index| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(index)?.map(time));
    let mut record = ScheduleRecord::new(Name::from(text(0)?), Name::from(text(1)?), raw(text(2)?)?, text(3)?, at(7)?);
    record.time_zone = row.get(4)?;
    record.paused = row.get(5)?;
    record.last = at(6)?;
    Ok(record)
}

impl Session<'_> {
    pub(super) fn schedule(&mut self, command: &ScheduleCommand) -> Outcome<Vec<ScheduleRecord>> {
        match command {
            ScheduleCommand::Put(schedule) => {
                let mut schedule = (**schedule).clone();
                if let Some(before) = self.find_schedule(&schedule.name)? {
                    schedule.paused = before.paused;
                    schedule.last = before.last;
                    if before.rule == schedule.rule && before.time_zone == schedule.time_zone {
                        schedule.next = before.next;
                    }
                }
                self.put_schedule(&schedule)?;
                Ok(vec![schedule])
            }
            ScheduleCommand::Delete(name) => {
                let before = self.find_schedule(name)?;
                self.db.prepare_cached("DELETE FROM ddd_schedule WHERE name = ?1")?.execute([name.as_str()])?;
                Ok(before.into_iter().collect())
            }
            ScheduleCommand::Pause { name, paused, next } => {
                let Some(mut schedule) = self.find_schedule(name)? else { return Ok(Vec::new()) };
                if schedule.paused && !paused {
                    schedule.next = *next;
                }
                schedule.paused = *paused;
                self.put_schedule(&schedule)?;
                Ok(vec![schedule])
            }
            ScheduleCommand::List(Some(name)) => Ok(self.find_schedule(name)?.into_iter().collect()),
            ScheduleCommand::List(None) => {
                let mut find = self.db.prepare_cached(&format!("SELECT {COLUMNS} FROM ddd_schedule ORDER BY name"))?;
                let found = find.query_map([], |row| Ok(read(row)))?;
                found.map(|it| it?).collect()
            }
            ScheduleCommand::Fire { name, tick, next, task } => {
                let due = self.find_schedule(name)?.filter(|it| !it.paused && it.next == Some(*tick));
                let Some(mut schedule) = due else { return Ok(Vec::new()) };
                // The tick stays due, so that it fires when there is room again.
                if let Enqueued::Full { .. } = self.enqueue(task, true)? {
                    let reason = format!("no room in its queue for the task of schedule `{name}`");
                    return Err(StoreError::new(StoreErrorKind::Unavailable, reason).into());
                }
                schedule.last = Some(*tick);
                schedule.next = *next;
                self.put_schedule(&schedule)?;
                Ok(vec![schedule])
            }
        }
    }

    fn find_schedule(&self, name: &Name) -> Outcome<Option<ScheduleRecord>> {
        let mut find = self.db.prepare_cached(&format!("SELECT {COLUMNS} FROM ddd_schedule WHERE name = ?1"))?;
        find.query_row([name.as_str()], |row| Ok(read(row))).optional()?.transpose()
    }

    fn put_schedule(&self, schedule: &ScheduleRecord) -> Outcome<()> {
        let mut put = self.db.prepare_cached(&format!(
            "INSERT OR REPLACE INTO ddd_schedule ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        ))?;
        put.execute(params![
            schedule.name.as_str(),
            schedule.task.as_str(),
            schedule.params.get(),
            schedule.rule,
            schedule.time_zone,
            schedule.paused,
            schedule.last.map(Timestamp::as_micros),
            schedule.next.map(Timestamp::as_micros),
        ])?;
        Ok(())
    }
}
