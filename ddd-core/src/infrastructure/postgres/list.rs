//! Lists: short searches over a few connections, so that whoever looks holds up nobody who works.

use std::{sync::Arc, time::Instant};

use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use uuid::Uuid;

use super::{
    core::Core,
    error::{Outcome, Remedy, Trouble, corrupt},
    numbers::{code, id_of, ids_of, searchable, size, time},
    summary::{self, summary},
};
use crate::{
    domain::{Cursor, Filter, Page, TaskStatus, TaskSummary, Timestamp},
    ports::{StoreError, StoreErrorKind, StoreFuture},
};

/// At so many rows of each table one call looks: then the answer is what was found, and where to go on.
const LOOKED_AT: i64 = 10_000;

/// A filter in the numbers of the tables.
struct Search {
    ids: Option<Vec<Uuid>>,
    statuses: Option<Vec<i16>>,
    kinds: Option<Vec<i32>>,
    queue: Option<i32>,
    tag: Option<String>,
    since: Option<i64>,
    owner: Option<String>,
    /// Whether tasks are meant that wait, and whether those are that are over. What runs, or has ended and runs on, is held.
    waits: bool,
    is_over: bool,
    /// Whether all that are meant among what is over did not succeed.
    is_unsuccessful: bool,
}

impl Search {
    fn of(filter: &Filter, kinds: Option<Vec<i32>>, queue: Option<i32>) -> Self {
        let statuses = &filter.statuses;
        let is_any = statuses.is_empty();
        let unsuccessful = [TaskStatus::Failed, TaskStatus::Cancelled, TaskStatus::Timeout];
        Self {
            ids: Some(ids_of(&filter.ids)).filter(|it| !it.is_empty()),
            statuses: Some(statuses.iter().map(|it| code(*it)).collect()).filter(|_| !is_any),
            kinds,
            queue,
            tag: filter.tag.as_ref().map(|it| searchable(it)),
            since: filter.since.map(Timestamp::as_micros),
            owner: filter.owner.as_deref().map(searchable),
            waits: is_any || statuses.iter().any(|it| it.is_queued()),
            is_over: is_any || statuses.iter().any(|it| it.is_terminal()),
            is_unsuccessful: !is_any && statuses.iter().all(|it| unsuccessful.contains(it) || !it.is_terminal()),
        }
    }

    /// The kind, if it is a single one: then an index of the history knows its rows in order.
    fn kind(&self) -> Option<i32> {
        self.kinds.as_ref().filter(|it| it.len() == 1).and_then(|it| it.first().copied())
    }

    /// Whether the rows that are meant are those of an index, one after the other.
    fn finds_at_once(&self) -> bool {
        let Self { ids, statuses, kinds, queue, tag, since, .. } = self;
        let is_narrow = statuses.is_some() || kinds.is_some() || queue.is_some() || tag.is_some() || since.is_some();
        ids.is_some() || !is_narrow
    }
}

impl Core {
    /// The tasks that a filter means, newest first.
    pub(super) fn list(
        self: &Arc<Self>,
        filter: Filter,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> StoreFuture<Page<TaskSummary>> {
        let core = self.clone();
        Box::pin(async move {
            if limit == 0 {
                return Ok(Page::new(Vec::new(), None));
            }
            let turn = tokio::time::timeout(core.lists.timeout, core.lists.turns.clone().acquire_owned()).await;
            let turn = turn.map_err(|_| core.lists.busy())?.map_err(|it| unavailable(it.to_string()))?;
            // The call goes on if nobody waits for its answer any more, and keeps its turn until it has ended.
            let asked = Arc::new((filter, turn));
            core.call(move |core, conn| {
                let asked = asked.clone();
                Box::pin(async move { core.look(conn, &asked.0, cursor, limit).await })
            })
            .await
        })
    }

    /// One search, in a transaction of its own that only reads.
    async fn look(
        self: &Arc<Self>,
        conn: &mut PgConnection,
        filter: &Filter,
        cursor: Option<Cursor>,
        limit: usize,
    ) -> Outcome<Page<TaskSummary>> {
        let began = Instant::now();
        let now = self.begin_look(conn).await?;
        let answer = match self.search(conn, filter, cursor, limit, now).await {
            // The server does not undo anything where nothing was done, whatever the word.
            Err(trouble) if trouble.remedy == Remedy::Reconnect => return Err(trouble),
            answer => sqlx::raw_sql("COMMIT").execute(conn).await.map_err(reconnect).and(answer),
        };
        answer.map_err(|trouble| match trouble.error.kind() {
            StoreErrorKind::Unavailable if began.elapsed() >= self.lists.timeout => {
                Trouble { error: self.lists.late(), ..trouble }
            }
            _ => trouble,
        })
    }

    async fn begin_look(&self, conn: &mut PgConnection) -> Outcome<Timestamp> {
        let limit = self.lists.timeout.as_millis().max(1);
        let text = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {limit}; \
             SET LOCAL idle_in_transaction_session_timeout = {limit}; SET LOCAL jit = off; \
             SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(text)).fetch_all(conn).await?;
        let row = rows.first().ok_or_else(|| corrupt("the server does not tell the time"))?;
        Ok(time(row.try_get::<i64, _>(0)?.saturating_add(self.offset())))
    }

    async fn search(
        self: &Arc<Self>,
        conn: &mut PgConnection,
        filter: &Filter,
        cursor: Option<Cursor>,
        limit: usize,
        now: Timestamp,
    ) -> Outcome<Page<TaskSummary>> {
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
        let search = Search::of(filter, kinds, queue.flatten());
        let searched = if search.finds_at_once() { None } else { self.end_of(conn, &search, cursor).await? };
        let mut items = self.found(conn, &search, (cursor, searched), limit.saturating_add(1), now).await?;
        items.sort_by_key(|it| std::cmp::Reverse(it.id));
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = if has_more { items.last().map(|it| Cursor(it.id)) } else { searched };
        Ok(Page::new(items, next))
    }

    /// Where a search from `cursor` on has seen enough rows of one of the tables; `None` if there are not so many.
    async fn end_of(
        &self,
        conn: &mut PgConnection,
        search: &Search,
        cursor: Option<Cursor>,
    ) -> Outcome<Option<Cursor>> {
        // Rows are counted along an index. What is not asked for is no condition, because the statement is planned with its values.
        macro_rules! owned {
            () => {
                "($1::uuid IS NULL OR id < $1) \
                 AND ($2::text IS NULL OR owner IS NOT NULL AND left(owner, 100) = left($2, 100))"
            };
        }
        const END: &str = concat!(
            "SELECT greatest((SELECT id FROM ddd.task WHERE ",
            owned!(),
            " AND ($3 OR lease_until IS NOT NULL) ORDER BY id DESC OFFSET $4 LIMIT 1), (SELECT id FROM ddd.history WHERE ",
            owned!(),
            " AND $5 AND ($6::integer IS NULL OR kind = $6) AND (NOT $7 OR status IN (7, 8, 9)) \
             ORDER BY id DESC OFFSET $4 LIMIT 1))"
        );
        let has_owner = search.owner.is_some();
        let end: Option<Uuid> = sqlx::query_scalar(self.texts.of(END))
            .persistent(false)
            .bind(cursor.map(|it| *it.0.as_uuid()))
            .bind(&search.owner)
            .bind(search.waits)
            .bind(LOOKED_AT)
            .bind(search.is_over)
            // One index at a time: they are not combined in order.
            .bind(search.kind().filter(|_| !has_owner))
            .bind(search.is_unsuccessful && !has_owner && search.kind().is_none())
            .fetch_one(conn)
            .await?;
        Ok(end.map(|it| Cursor(id_of(it))))
    }

    /// At most `wanted` of each table, between the cursors, of which the second is included.
    async fn found(
        &self,
        conn: &mut PgConnection,
        search: &Search,
        (cursor, end): (Option<Cursor>, Option<Cursor>),
        wanted: usize,
        now: Timestamp,
    ) -> Outcome<Vec<TaskSummary>> {
        macro_rules! among {
            () => {
                "($1::uuid IS NULL OR id < $1) AND ($2::uuid[] IS NULL OR id = ANY($2)) \
                 AND ($3::smallint[] IS NULL OR status = ANY($3)) AND ($4::integer[] IS NULL OR kind = ANY($4)) \
                 AND ($5::integer IS NULL OR queue = $5) AND ($6::text IS NULL OR tags @> ARRAY[$6]) \
                 AND ($7::bigint IS NULL OR created_at >= $7) AND ($8::text IS NULL OR owner = $8 AND left(owner, 100) = left($8, 100)) \
                 AND ($9::uuid IS NULL OR id >= $9) AND ($10::integer IS NULL OR kind = $10)"
            };
        }
        const LIST: &str = concat!(
            "(SELECT ",
            summary!(),
            " FROM ddd.task WHERE ",
            among!(),
            " AND ($12 OR lease_until IS NOT NULL) ORDER BY id DESC LIMIT $11) UNION ALL (SELECT ",
            summary!(),
            " FROM ddd.history WHERE ",
            among!(),
            " AND $13 AND (NOT $14 OR status IN (7, 8, 9)) ORDER BY id DESC LIMIT $11)"
        );
        let kind = search.kind();
        let rows = sqlx::query(self.texts.of(LIST))
            .persistent(false)
            .bind(cursor.map(|it| *it.0.as_uuid()))
            .bind(&search.ids)
            .bind(&search.statuses)
            .bind(search.kinds.as_ref().filter(|_| kind.is_none()))
            .bind(search.queue)
            .bind(&search.tag)
            .bind(search.since)
            .bind(&search.owner)
            .bind(end.map(|it| *it.0.as_uuid()))
            .bind(kind)
            .bind(size(wanted))
            .bind(search.waits)
            .bind(search.is_over)
            .bind(search.is_unsuccessful)
            .fetch_all(&mut *conn)
            .await?;
        let numbers = rows.iter().map(summary::names_of).collect::<Outcome<Vec<_>>>()?;
        if !self.names.hold(numbers.iter().map(|it| it.0), numbers.iter().map(|it| it.1)) {
            self.names.read(conn, &self.texts).await?;
        }
        rows.iter().map(|row| summary::read(row, &self.names, now)).collect()
    }
}

fn reconnect(error: sqlx::Error) -> Trouble {
    Trouble { remedy: Remedy::Reconnect, ..error.into() }
}

fn unavailable(what: String) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, what)
}
