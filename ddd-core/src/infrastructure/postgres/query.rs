use std::{collections::HashMap, sync::Arc};

use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{
    core::Core,
    error::Outcome,
    numbers::{id_of, ids_of, size, status, time},
    row::{Row, columns},
};
use crate::{
    domain::{TaskId, TaskRecord},
    ports::Position,
};

/// The time of the server, shifted by the last parameter, beside each row: what has expired is not shown.
macro_rules! with_now {
    ($offset:literal) => {
        concat!(", (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + ", $offset)
    };
}

impl Core {
    /// Records by id, in order.
    pub(super) async fn get(
        self: &Arc<Self>,
        conn: &mut PgConnection,
        ids: &[TaskId],
    ) -> Outcome<Vec<Option<TaskRecord>>> {
        const GET: &str = concat!(
            "SELECT ",
            columns!(),
            with_now!("$2"),
            " FROM ddd.task WHERE id = ANY($1) UNION ALL SELECT ",
            columns!(),
            with_now!("$2"),
            " FROM ddd.history WHERE id = ANY($1)"
        );
        let found = sqlx::query(self.texts.of(GET)).bind(ids_of(ids)).bind(self.offset()).fetch_all(&mut *conn).await?;
        let records = self.records(conn, &found).await?;
        let records = records.into_iter().map(|it| (it.id, it)).collect::<HashMap<_, _>>();
        Ok(ids.iter().map(|id| records.get(id).cloned()).collect())
    }

    async fn records(&self, conn: &mut PgConnection, found: &[PgRow]) -> Outcome<Vec<TaskRecord>> {
        let mut numbers = Vec::with_capacity(found.len());
        for row in found {
            numbers.push((row.try_get::<i32, _>(2)?, row.try_get::<i32, _>(3)?));
        }
        if !self.names.hold(numbers.iter().map(|it| it.0), numbers.iter().map(|it| it.1)) {
            self.names.read(conn, &self.texts).await?;
        }
        found.iter().map(|row| shown(row, &self.names)).collect()
    }

    /// Where tasks are, by id, in order.
    pub(super) async fn positions(
        &self,
        conn: &mut PgConnection,
        ids: &[TaskId],
        most: usize,
    ) -> Outcome<Vec<Option<Position>>> {
        const POSITIONS: &str = "SELECT t.id, t.status, CASE WHEN t.status = 0 THEN (SELECT count(*) FROM \
            (SELECT FROM ddd.task o WHERE o.status = 0 AND o.queue = t.queue AND (o.rank, o.id) < (t.rank, t.id) LIMIT $2) b) \
            END FROM ddd.task t WHERE t.id = ANY($1) \
            UNION ALL SELECT id, status, NULL FROM ddd.history WHERE id = ANY($1)";
        let found = sqlx::query(self.texts.of(POSITIONS)).bind(ids_of(ids)).bind(size(most)).fetch_all(conn).await?;
        let mut positions = HashMap::with_capacity(found.len());
        for row in found {
            let ahead: Option<i64> = row.try_get(2)?;
            let ahead = ahead.map(|it| usize::try_from(it).unwrap_or_default());
            positions.insert(id_of(row.try_get(0)?), Position::new(status(row.try_get(1)?)?, ahead));
        }
        Ok(ids.iter().map(|id| positions.get(id).copied()).collect())
    }
}

/// A record as it is shown: an expired result is gone, even if upkeep has not met it yet.
fn shown(row: &PgRow, names: &super::names::Names) -> Outcome<TaskRecord> {
    let now = time(row.try_get(29)?);
    let mut record = Row::read(row, names, false)?.record;
    if record.result_until.is_some_and(|it| it <= now) {
        record.result = None;
    }
    Ok(record)
}
