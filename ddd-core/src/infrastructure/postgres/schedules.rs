use std::sync::Arc;

use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{core::Core, enqueue::Ownership, error::Outcome, numbers::time, session::Session};
use crate::{
    domain::Timestamp,
    infrastructure::sql::raw,
    ports::{Enqueued, ScheduleCommand, ScheduleRecord, StoreError, StoreErrorKind},
};

macro_rules! schedule_columns {
    () => {
        "name, task, params, rule, time_zone, paused, last, next"
    };
}

fn read(row: &PgRow) -> Outcome<ScheduleRecord> {
    let next = row.try_get::<Option<i64>, _>(7)?.map(time);
    let (name, task): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
    let mut record = ScheduleRecord::new(name.into(), task.into(), raw(row.try_get(2)?)?, row.try_get(3)?, next);
    record.time_zone = row.try_get(4)?;
    record.paused = row.try_get(5)?;
    record.last = row.try_get::<Option<i64>, _>(6)?.map(time);
    Ok(record)
}

impl Core {
    pub(super) async fn schedules(
        self: &Arc<Self>,
        conn: &mut PgConnection,
        command: &ScheduleCommand,
    ) -> Outcome<Vec<ScheduleRecord>> {
        if let ScheduleCommand::Fire { task, .. } = command {
            self.names.make(conn, &self.texts, &[&task.queue], &[(&task.name, task.version)]).await?;
        }
        let command = command.clone();
        self.transact(conn, move |session| {
            let command = command.clone();
            Box::pin(async move { session.schedule(command).await })
        })
        .await
    }
}

impl Session<'_> {
    async fn schedule(&mut self, command: ScheduleCommand) -> Outcome<Vec<ScheduleRecord>> {
        let texts = &self.core.texts;
        let found = match command {
            ScheduleCommand::Put(it) => {
                const PUT: &str = concat!(
                    "INSERT INTO ddd.schedule AS s (",
                    schedule_columns!(),
                    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO UPDATE SET task = excluded.task, \
                     params = excluded.params, rule = excluded.rule, time_zone = excluded.time_zone, \
                     next = CASE WHEN s.rule = excluded.rule AND s.time_zone IS NOT DISTINCT FROM excluded.time_zone \
                     THEN s.next ELSE excluded.next END RETURNING ",
                    schedule_columns!()
                );
                sqlx::query(texts.of(PUT))
                    .bind(it.name.as_str())
                    .bind(it.task.as_str())
                    .bind(it.params.get())
                    .bind(&it.rule)
                    .bind(&it.time_zone)
                    .bind(it.paused)
                    .bind(it.last.map(Timestamp::as_micros))
                    .bind(it.next.map(Timestamp::as_micros))
                    .fetch_all(&mut *self.conn)
                    .await?
            }
            ScheduleCommand::Delete(name) => {
                const DELETE: &str =
                    concat!("DELETE FROM ddd.schedule WHERE name = $1 RETURNING ", schedule_columns!());
                sqlx::query(texts.of(DELETE)).bind(name.as_str()).fetch_all(&mut *self.conn).await?
            }
            ScheduleCommand::Pause { name, paused, next } => {
                const PAUSE: &str = concat!(
                    "UPDATE ddd.schedule SET next = CASE WHEN paused AND NOT $2 THEN $3 ELSE next END, paused = $2 \
                     WHERE name = $1 RETURNING ",
                    schedule_columns!()
                );
                sqlx::query(texts.of(PAUSE))
                    .bind(name.as_str())
                    .bind(paused)
                    .bind(next.map(Timestamp::as_micros))
                    .fetch_all(&mut *self.conn)
                    .await?
            }
            ScheduleCommand::List(name) => {
                const LIST: &str = concat!(
                    "SELECT ",
                    schedule_columns!(),
                    " FROM ddd.schedule WHERE $1::text IS NULL OR name = $1 ORDER BY name"
                );
                sqlx::query(texts.of(LIST)).bind(name.as_deref()).fetch_all(&mut *self.conn).await?
            }
            ScheduleCommand::Fire { name, tick, next, task } => {
                // Whoever changes the row first does it; the others wait, and find another tick.
                const FIRE: &str = concat!(
                    "UPDATE ddd.schedule SET last = $2, next = $3 WHERE name = $1 AND NOT paused AND next = $2 RETURNING ",
                    schedule_columns!()
                );
                let fired = sqlx::query(texts.of(FIRE))
                    .bind(name.as_str())
                    .bind(tick.as_micros())
                    .bind(next.map(Timestamp::as_micros))
                    .fetch_all(&mut *self.conn)
                    .await?;
                if !fired.is_empty() {
                    let answers = self.enqueue(&[*task], Ownership::Store).await?;
                    if let [Enqueued::Full { .. }] = answers[..] {
                        // The tick stays due, so that it fires when there is room again.
                        let reason = format!("no room in its queue for the task of schedule `{name}`");
                        return Err(StoreError::new(StoreErrorKind::Unavailable, reason).into());
                    }
                }
                fired
            }
        };
        found.iter().map(read).collect()
    }
}
