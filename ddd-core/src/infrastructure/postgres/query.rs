use std::{collections::HashMap, sync::Arc};

use sqlx::{PgConnection, Row as _, postgres::PgRow};

use super::{
    core::Core,
    error::Outcome,
    numbers::{code, id_of, ids_of, searchable, size, status, time},
    row::{Row, columns},
};
use crate::{
    domain::{Cursor, Filter, Page, TaskId, TaskRecord, Timestamp},
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

    /// The records that a filter means, newest first.
    pub(super) async fn list(
        self: &Arc<Self>,
        conn: &mut PgConnection,
        filter: &Filter,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Outcome<Page<TaskRecord>> {
        // Both tables are read from their newest end, and no further than a page; what is not asked for is no condition, because
        // the statement is planned with its values.
        const LIST: &str = concat!(
            "(SELECT ",
            columns!(),
            with_now!("$10"),
            " FROM ddd.task WHERE ($1::uuid IS NULL OR id < $1) AND ($2::uuid[] IS NULL OR id = ANY($2)) \
             AND ($3::smallint[] IS NULL OR status = ANY($3)) AND ($4::integer[] IS NULL OR kind = ANY($4)) \
             AND ($5::integer IS NULL OR queue = $5) AND ($6::text IS NULL OR tags @> ARRAY[$6]) \
             AND ($7::bigint IS NULL OR created_at >= $7) AND ($8::text IS NULL OR owner = $8) \
             AND ($12 OR lease_until IS NOT NULL) ORDER BY id DESC LIMIT $9) UNION ALL (SELECT ",
            columns!(),
            with_now!("$10"),
            " FROM ddd.history WHERE ($1::uuid IS NULL OR id < $1) AND ($2::uuid[] IS NULL OR id = ANY($2)) \
             AND ($3::smallint[] IS NULL OR status = ANY($3)) AND ($4::integer[] IS NULL OR kind = ANY($4)) \
             AND ($5::integer IS NULL OR queue = $5) AND ($6::text IS NULL OR tags @> ARRAY[$6]) \
             AND ($7::bigint IS NULL OR created_at >= $7) AND ($8::text IS NULL OR owner = $8) AND $11 \
             ORDER BY id DESC LIMIT $9)"
        );
        if limit == 0 {
            return Ok(Page::new(Vec::new(), None));
        }
        let is_named = filter.name.is_some() || filter.name_prefix.is_some();
        if is_named || filter.queue.as_ref().is_some_and(|it| self.names.queue(it).is_none()) {
            self.names.read(conn, &self.texts).await?;
        }
        let kinds = is_named.then(|| {
            self.names.kinds_named(|name| {
                filter.name.as_ref().is_none_or(|it| *it == *name)
                    && filter.name_prefix.as_ref().is_none_or(|it| name.starts_with(it.as_str()))
            })
        });
        let queue = filter.queue.as_ref().map(|it| self.names.queue(it));
        if kinds.as_ref().is_some_and(Vec::is_empty) || queue == Some(None) {
            return Ok(Page::new(Vec::new(), None));
        }
        let statuses = Some(filter.statuses.iter().map(|it| code(*it)).collect::<Vec<_>>());
        let is_any = filter.statuses.is_empty();
        let found = sqlx::query(self.texts.of(LIST))
            .persistent(false)
            .bind(cursor.map(|it| *it.0.as_uuid()))
            .bind(Some(ids_of(&filter.ids)).filter(|it| !it.is_empty()))
            .bind(statuses.filter(|_| !is_any))
            .bind(kinds)
            .bind(queue.flatten())
            .bind(filter.tag.as_ref().map(|it| searchable(it)))
            .bind(filter.since.map(Timestamp::as_micros))
            .bind(filter.owner.as_deref().map(searchable))
            .bind(size(limit.saturating_add(1)))
            .bind(self.offset())
            .bind(is_any || filter.statuses.iter().any(|it| it.is_terminal()))
            // What runs, or has ended and runs on, is held: so it need not be looked for among what waits.
            .bind(is_any || filter.statuses.iter().any(|it| it.is_queued()))
            .fetch_all(&mut *conn)
            .await?;
        let mut items = self.records(conn, &found).await?;
        items.sort_by_key(|it| std::cmp::Reverse(it.id));
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|it| Cursor(it.id));
        Ok(Page::new(items, next))
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
