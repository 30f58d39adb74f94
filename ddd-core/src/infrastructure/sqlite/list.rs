//! Lists: a walk over ids, which reads of each row no more than says whether it is meant, and of those that are no more than is shown.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use rusqlite::{OptionalExtension, params};

use super::{
    error::Outcome,
    reader::Reader,
    row::{id_bytes, id_of},
    summary,
};
use crate::{
    domain::{Cursor, Filter, Page, TaskStatus, TaskSummary, Timestamp},
    infrastructure::sql::{json_of, status_code},
};

/// At so many rows one call looks, and for no longer than that: then the answer is what was found, and where to go on.
const LOOKED_AT: usize = 8_192;
const LOOKED_FOR: Duration = Duration::from_millis(20);
/// So often the time is looked at.
const ROWS_PER_LOOK: usize = 64;

/// How the rows that may be meant are gone through.
struct Walk {
    /// Where they are, and a condition that all of them meet.
    among: &'static str,
    /// What of a filter columns can tell. Only numbers are written into the text.
    condition: String,
    /// Whether the label says the rest.
    reads_label: bool,
}

impl Reader {
    pub(super) fn list(&mut self, filter: &Filter, cursor: Option<Cursor>, limit: usize) -> Outcome<Page<TaskSummary>> {
        if limit == 0 {
            return Ok(Page::new(Vec::new(), None));
        }
        let now = self.shared.tick();
        if filter.ids.is_empty() {
            self.walk(filter, cursor, limit, now)
        } else {
            self.pick(filter, cursor, limit, now)
        }
    }

    /// Looks only at the ids that the filter names.
    fn pick(
        &mut self,
        filter: &Filter,
        cursor: Option<Cursor>,
        limit: usize,
        now: Timestamp,
    ) -> Outcome<Page<TaskSummary>> {
        let mut ids = filter.ids.clone();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.dedup();
        // The ids are known by where they stand, so a filter without them says whether a task is meant.
        let rest = Filter { ids: Vec::new(), ..filter.clone() };
        let mut items = Vec::new();
        for id in ids.into_iter().filter(|id| cursor.is_none_or(|it| *id < it.0)) {
            items.extend(summary::load(&self.db, &mut self.names, id, now)?.filter(|it| rest.matches_summary(it)));
            if items.len() > limit {
                break;
            }
        }
        Ok(page(items, limit, None))
    }

    /// Looks through the rows from the newest to the oldest, not for long.
    fn walk(
        &mut self,
        filter: &Filter,
        cursor: Option<Cursor>,
        limit: usize,
        now: Timestamp,
    ) -> Outcome<Page<TaskSummary>> {
        let Some(walk) = self.way(filter)? else { return Ok(Page::new(Vec::new(), None)) };
        let label = if walk.reads_label { "label" } else { "NULL" };
        let text = format!(
            "SELECT id, 1{}, {label} FROM ddd_task {} AND id < ?1 ORDER BY id DESC LIMIT ?2",
            walk.condition, walk.among
        );
        let began = Instant::now();
        let before = cursor.map_or([u8::MAX; 16], |it| id_bytes(it.0));
        let mut find = self.db.prepare(&text)?;
        let mut rows = find.query(params![before, LOOKED_AT])?;
        let (mut items, mut looked_at, mut searched) = (Vec::new(), 0, None);
        while let Some(row) = rows.next()? {
            let id = id_of(row.get(0)?);
            looked_at += 1;
            if row.get(1)? && is_meant(filter, row.get::<_, Option<String>>(2)?.as_deref())? {
                items.extend(summary::load(&self.db, &mut self.names, id, now)?);
            }
            let is_late = looked_at % ROWS_PER_LOOK == 0 && began.elapsed() >= LOOKED_FOR;
            if items.len() > limit || looked_at == LOOKED_AT || is_late {
                searched = Some(Cursor(id));
                break;
            }
        }
        Ok(page(items, limit, searched))
    }

    /// How to go to what a filter means; `None` if it means nothing that is there.
    fn way(&self, filter: &Filter) -> Outcome<Option<Walk>> {
        let mut condition = String::new();
        let listed = |numbers: &[i64]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if !filter.statuses.is_empty() {
            let codes: Vec<_> = filter.statuses.iter().map(|it| status_code(*it)).collect();
            let _ = write!(condition, " AND status IN ({})", listed(&codes));
        }
        if let Some(since) = filter.since {
            let _ = write!(condition, " AND created_at >= {}", since.as_micros());
        }
        if let Some(queue) = &filter.queue {
            let mut find = self.db.prepare_cached("SELECT number FROM ddd_queue WHERE name = ?1")?;
            let number: Option<i64> = find.query_row([queue.as_str()], |row| row.get(0)).optional()?;
            let Some(number) = number else { return Ok(None) };
            let _ = write!(condition, " AND queue = {number}");
        }
        if filter.name.is_some() || filter.name_prefix.is_some() {
            let mut find = self.db.prepare_cached("SELECT number, name FROM ddd_kind")?;
            let kinds = find.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
            let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
            let is_named = |name: &str| {
                filter.name.as_ref().is_none_or(|it| *it == *name)
                    && filter.name_prefix.as_ref().is_none_or(|it| name.starts_with(it.as_str()))
            };
            let numbers: Vec<_> = kinds.iter().filter(|it| is_named(&it.1)).map(|it| it.0).collect();
            if numbers.is_empty() {
                return Ok(None);
            }
            let _ = write!(condition, " AND kind IN ({})", listed(&numbers));
        }
        let reads_label = filter.tag.is_some() || filter.owner.is_some();
        Ok(Some(Walk { among: among(&filter.statuses), condition, reads_label }))
    }
}

/// Few tasks run, and few of those that have ended did not succeed: they are not looked for among all.
fn among(statuses: &[TaskStatus]) -> &'static str {
    let are_all = |among: &[TaskStatus]| !statuses.is_empty() && statuses.iter().all(|it| among.contains(it));
    if are_all(&[TaskStatus::Running]) {
        "INDEXED BY ddd_lease WHERE lease_until IS NOT NULL"
    } else if are_all(&[TaskStatus::Failed, TaskStatus::Cancelled, TaskStatus::Timeout]) {
        "INDEXED BY ddd_unsuccessful WHERE status IN (7, 8, 9)"
    } else {
        "WHERE true"
    }
}

/// Whether the label of a task that is meant otherwise is meant, too.
fn is_meant(filter: &Filter, label: Option<&str>) -> Outcome<bool> {
    if filter.tag.is_none() && filter.owner.is_none() {
        return Ok(true);
    }
    let Some(label) = label else { return Ok(false) };
    Ok(filter.means_label(Some(&json_of(label)?)))
}

/// The first `limit` of `items`, and where to go on: after them, if there are more, or where the search has come to.
fn page(mut items: Vec<TaskSummary>, limit: usize, searched: Option<Cursor>) -> Page<TaskSummary> {
    let has_more = items.len() > limit;
    items.truncate(limit);
    let next = if has_more { items.last().map(|it| Cursor(it.id)) } else { searched };
    Page::new(items, next)
}
